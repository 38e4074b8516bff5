#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# IPv6 beside IPv4, wanted addresses, name servers and lines of /etc/hosts, the network of another.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
ip link add ra0 type veth peer name ra1 2>/dev/null || t_skip_all "no veth"
HAS_IPV6=$([ -e /proc/net/if_inet6 ] && echo 1)
[ -z "$HAS_IPV6" ] || ra_before=$(cat /proc/sys/net/ipv6/conf/ra0/accept_ra)
c_setup
. "$T_TOP/tests/lib/outside.sh"
c_residue >"$T_DIR/before"

says() {
	local name=$1 pattern=$2
	shift 2
	t_status "$name" 125 c run --rm "$@" "$IMAGE" true
	t_match "$name: sentence" "^ctr: run: .*$pattern" "$T_ERR"
	t_is "$name: one line" 1 "$(wc -l <<<"$T_ERR")"
}
in_run() {
	local name=$1 want=$2
	shift 2
	t_is "$name" "$want" "$(c run --rm "$@" 2>&1)"
}
gateway=$(c run --rm "$IMAGE" sh -c 'ip route | sed -n "s/default via \([^ ]*\).*/\1/p"')
net=${gateway%.*}

# ---- wanted addresses ----
in_run "--ip" "$net.77" --ip "$net.77" "$IMAGE" sh -c "ip -o -4 addr show eth0 | sed 's/.* inet \([^/]*\).*/\1/'"
c run -d --name fixed --ip "$net.77" "$IMAGE" sleep 1000 >/dev/null
says "--ip of another" "address $net.77 is in use by container" --ip "$net.77"
says "--ip of the gateway" "$gateway is not an address for a container" --ip "$gateway"
says "--ip elsewhere" "192.0.2.9 is not an address for a container in" --ip 192.0.2.9
says "--ip of letters" '"ten" is not an IPv4 address' --ip ten
says "--ip without a bridge" 'only with --network bridge' --ip "$net.77" --network none
c rm -f fixed >/dev/null
in_run "--ip of one that has gone" "0" --ip "$net.77" "$IMAGE" sh -c 'echo $?'
in_run "--mac-address" "02:00:00:00:00:07" --mac-address 02:00:00:00:00:07 "$IMAGE" cat /sys/class/net/eth0/address
says "--mac-address of a group" 'is for groups' --mac-address 03:00:00:00:00:07
says "--mac-address of letters" 'is not one' --mac-address 02:00:00:00:00:zz

# ---- files ----
in_run "--dns, --dns-search, --dns-option" $'nameserver 192.0.2.53\nnameserver 2001:db8::53\nsearch a.example b.example\noptions ndots:2' \
	--dns 192.0.2.53 --dns 2001:db8::53 --dns-search a.example --dns-search b.example --dns-option ndots:2 \
	--network host "$IMAGE" sh -c 'grep -E "^(nameserver|search|options)" /etc/resolv.conf'
says "--dns of a name" '"dns" is not an address' --dns dns
says "--dns-search of two words" 'is not a domain' --dns-search "a b"
in_run "--add-host" $'192.0.2.9 db\n2001:db8::9 db6\n'"$gateway host" --add-host db:192.0.2.9 \
	--add-host 'db6:[2001:db8::9]' --add-host host:host-gateway "$IMAGE" \
	sh -c "grep -E '[[:space:]](db|db6|host)\$' /etc/hosts | tr '\t' ' '"
says "--add-host of nothing" 'is not NAME:ADDRESS' --add-host db
says "--add-host of a line" 'is not NAME:ADDRESS' --add-host $'a\n1.2.3.4 b:1.2.3.4'
says "--network of nobody" 'container "nosuch": not found' --network container:nosuch
says "--network of nothing" '"nosuch" is unknown' --network nosuch

# ---- the network of another ----
c run -d --name first --hostname first "$IMAGE" sleep 1000 >/dev/null
in_run "--network container: the same namespace" "$(c exec first readlink /proc/self/ns/net)" \
	--network container:first "$IMAGE" readlink /proc/self/ns/net
in_run "--network container: the same hosts" "$(c exec first cat /etc/hosts)" --network container:first "$IMAGE" cat /etc/hosts
says "--network container: no ports" 'only with --network bridge' --network container:first -p 80
c stop -t 0 first >/dev/null
says "--network container: of one that has ended" 'container first is not running' --network container:first
c rm first >/dev/null

# ---- IPv6 ----
if [ -n "$HAS_IPV6" ]; then
	c run -d --name a "$IMAGE" sleep 1000 >/dev/null
	c run -d --name b "$IMAGE" sleep 1000 >/dev/null
	addr6() { c inspect "$1" | jq -r '.[0].address6' | cut -d/ -f1; }
	a=$(addr6 a) b=$(addr6 b) gw6=$(c inspect a | jq -r '.[0].gateway6')
	t_match "an address of a unique local subnet" '^fd[0-9a-f]{2}:' "$a"
	t_is "is what the container has" "$a" \
		"$(c exec a ip -o -6 addr show eth0 scope global | sed 's/.* inet6 \([^/]*\).*/\1/')"
	t_status "at once it can be used" 0 c run --rm "$IMAGE" ping -6 -c 1 -W 20 "$gw6"
	t_status "a reaches b" 0 c exec a ping -6 -c 1 -W 20 "$b"
	t_status "b reaches the host" 0 c exec b ping -6 -c 1 -W 20 "$gw6"
	t_status "the host reaches a" 0 ping -6 -c 1 -W 20 "$a"
	t_status "a reaches the outside, which knows no way back" 0 c exec a ping -6 -c 1 -W 20 2001:db8::2
	t_match "by masquerade" 'ip6 saddr fd[^ ]*/64 oifname != "cl-[^"]*" masquerade' "$(nft list ruleset)"
	t_is "subnet as before, after a new start" "${gw6%::*}" "$(c run --rm "$IMAGE" ip -6 route | sed -n 's/default via \(.*\)::1 .*/\1/p')"
	t_is "no route is taken from a neighbour" 0 "$(c exec a cat /proc/sys/net/ipv6/conf/eth0/accept_ra)"
	t_is "the host forwards" 1 "$(cat /proc/sys/net/ipv6/conf/all/forwarding)"
	t_is "and still believes its routers" "$ra_before 2" "1 $(cat /proc/sys/net/ipv6/conf/ra0/accept_ra)"
	t_match "but is no router for others" 'iifgroup != .* oifgroup != .* drop' "$(nft list ruleset)"
	t_match "hosts names it" "^${a}[[:space:]]" "$(c exec a cat /etc/hosts)"
	c run -d --name fixed2 --ip6 "${gw6%::*}::5:0:1" "$IMAGE" sleep 1000 >/dev/null
	t_is "--ip6" "${gw6%::*}:0:5:0:1/64" "$(c inspect fixed2 | jq -r '.[0].address6' | sed 's/::5:/:0:5:/')"
	t_status "--ip6 can be used" 0 c exec a ping -6 -c 1 -W 20 "${gw6%::*}::5:0:1"
	says "--ip6 of another" 'is in use by container' --ip6 "${gw6%::*}::5:0:1"
	says "--ip6 elsewhere" '2001:db8::9 is not an address in fd' --ip6 2001:db8::9
	says "--ip6 that goes with an IPv4 address" 'which go with IPv4 addresses' --ip6 "${gw6%::*}::9"
	says "--ip6 of letters" '"ten" is not an IPv6 address' --ip6 ten
	c rm -f fixed2 >/dev/null
	t_status "--ip6 of one that has gone" 0 c run --rm --ip6 "${gw6%::*}::5:0:1" "$IMAGE" true
	c rm -f a b >/dev/null

	# Turned off for the bridge, as an admin does it.
	bridge=$(ip -o link show type bridge | sed 's/[0-9]*: \([^:]*\):.*/\1/')
	echo 1 >"/proc/sys/net/ipv6/conf/$bridge/disable_ipv6"
	t_status "without IPv6 it works all the same" 0 c run --rm "$IMAGE" ping -c 1 -W 20 "$gateway"
	t_is "and has no address of it" "" "$(c run --rm "$IMAGE" ip -o -6 addr show dev eth0 scope global)"
	says "--ip6 without IPv6" 'there is no IPv6 on this network' --ip6 "${gw6%::*}::5:0:1"
	echo 0 >"/proc/sys/net/ipv6/conf/$bridge/disable_ipv6"
else
	t_skip "IPv6" "the kernel has none"
fi

rm -rf "$C_ROOT/networks/leases6"
t_wait 60 sh -c '! ip -o link | grep -q "veth[0-9a-f]\{11\}"' || true
c_nothing_left "$T_DIR/before"
