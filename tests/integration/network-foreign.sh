#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Packet filters of others that drop what is forwarded: noticed, dealt with or named, as Docker, ufw
# and firewalld make them.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
command -v nft >/dev/null || t_skip_all "needs nft"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
. "$T_TOP/tests/lib/outside.sh"
bridge=$(ip -o link show type bridge | sed 's/[0-9]*: \([^:]*\):.*/\1/')
reaches() { c run --rm "$IMAGE" ping -c 1 -W "${1:-30}" 192.0.2.2 >/dev/null; }
complaint() { c run --rm "$IMAGE" true 2>&1; }

t_status "without one" 0 reaches
t_is "nothing is said" "" "$(complaint)"
t_is "nor by ctr info" null "$(c info --format json | jq .network_blocked_by)"

# told NAME CHAIN: it is said once, with an advice that works
told() {
	local name=$1 chain=$2 text advice
	text=$(complaint)
	t_match "$name: named" "cannot reach the outside, because .*$chain drops" "$text"
	t_is "$name: in one line" 1 "$(wc -l <<<"$text")"
	t_is "$name: once" "" "$(complaint)"
	t_match "$name: by ctr info" "^network +blocked by .*$chain" "$(c info)"
	t_status "$name: it is so" 1 reaches 5
	advice=$(c info --format json | jq -r .network_advice)
	case $advice in
	nft* | iptables*) t_status "$name: the advice can be followed" 0 sh -c "${advice//iptables/$IPTABLES}" ;;
	*) return ;;
	esac
	t_status "$name: and helps" 0 reaches
	t_is "$name: and is heard of no more" null "$(c info --format json | jq .network_blocked_by)"
}

nft -f - <<'END'
table inet strict {
	chain passing {
		type filter hook forward priority 0; policy drop;
	}
	chain input {
		type filter hook input priority 0; policy accept;
	}
}
END
IPTABLES=iptables
told "a policy of nf_tables" 'table inet strict, chain passing'
nft delete table inet strict

nft -f - <<'END'
table inet firewalld {
	chain filter_FORWARD {
		type filter hook forward priority 10; policy accept;
		ct state established,related accept
		iifname "lo" accept
		reject with icmpx admin-prohibited
	}
}
END
told "firewalld's last rule" 'table inet firewalld, chain filter_FORWARD'
t_match "firewalld: advice" "firewall-cmd .*--add-interface=$bridge" "$(c info)"
nft delete table inet firewalld

for IPTABLES in iptables-nft iptables-legacy; do
	if ! $IPTABLES -P FORWARD DROP 2>"$T_DIR/why"; then
		t_skip "$IPTABLES" "$(head -n 1 "$T_DIR/why")"
		continue
	fi
	told "$IPTABLES" "table ip filter, chain FORWARD"
	$IPTABLES -F FORWARD
	$IPTABLES -P FORWARD ACCEPT
done
IPTABLES=iptables-nft

if $IPTABLES -N ufw-before-forward 2>/dev/null; then
	$IPTABLES -P FORWARD DROP
	t_match "ufw: advice" "ufw route allow in on $bridge" "$(complaint)"
	$IPTABLES -X ufw-before-forward

	# Docker's: what comes first in FORWARD is for others.
	$IPTABLES -N DOCKER-USER
	$IPTABLES -A DOCKER-USER -j RETURN
	$IPTABLES -A FORWARD -j DOCKER-USER
	t_is "Docker: nothing is to be said" "" "$(complaint)"
	t_status "Docker: the outside is reached" 0 reaches
	t_match "Docker: by its own place" "-A DOCKER-USER -i $bridge .*-j ACCEPT" "$($IPTABLES -S DOCKER-USER | sed 's/ACCEPT/ -j ACCEPT/;s/-j  -j/-j/')"
	t_is "Docker: two rules, however often" 2 "$($IPTABLES -S DOCKER-USER | grep -c "$bridge")"
	t_is "Docker: and none by ctr info" null "$(c info --format json | jq .network_blocked_by)"
else
	t_skip "Docker and ufw" "iptables-nft does not work here"
fi
