#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Published ports: what -p may say, who reaches them, who holds them, and what is left of them.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
. "$T_TOP/tests/lib/outside.sh"
c_residue >"$T_DIR/before"

# serve NAME ARG...: a container that answers each request with its name
serve() {
	local name=$1
	shift
	c run -d --name "$name" "$@" "$IMAGE" sh -c \
		"mkdir /w; echo I am $name >/w/index.html; echo x >/w/\$HOSTNAME; exec httpd -f -p 80 -h /w" >/dev/null
}
# The index by HTTP from ADDRESS:PORT; what is before its empty line is the head.
export GET='printf "GET / HTTP/1.0\r\n\r\n"'
get() {
	local host=${1%:*} port=${1##*:}
	host=${host#[} host=${host%]}
	timeout "${LIMIT:-30}" bash -c "exec 3<>/dev/tcp/$host/$port && $GET >&3 && sed '1,/^.\$/d' <&3"
}
# The same with the image's programs: inside ADDRESS PORT gives the words of a shell
inside() { echo "$GET | nc -w 20 $1 $2 | sed '1,/^.\$/d'"; }
says() {
	local name=$1 pattern=$2
	shift 2
	t_status "$name" 125 c run --rm "$@" "$IMAGE" true
	t_match "$name: sentence" "^ctr: run: .*$pattern" "$T_ERR"
	t_is "$name: one line" 1 "$(wc -l <<<"$T_ERR")"
}
tcp_free() { ! busybox netstat -tln | grep -q "[:.]$1 "; }

# ---- who reaches it ----
t_status "publish a port" 0 serve web -p 8080:80
t_is "from the host by 127.0.0.1" "I am web" "$(t_retry get 127.0.0.1:8080)"
t_is "from the host by another loopback address" "I am web" "$(get 127.1.2.3:8080)"
t_is "from the host by ::1" "I am web" "$(get '[::1]:8080')"
t_is "from the host by its address" "I am web" "$(get 192.0.2.1:8080)"
t_is "from the host by its IPv6 address" "I am web" "$(get '[2001:db8::1]:8080')"
t_is "from outside" "I am web" "$(outside bash -c "$(declare -f get); get 192.0.2.1:8080")"
t_is "from outside by IPv6" "I am web" "$(outside bash -c "$(declare -f get); get [2001:db8::1]:8080")"
t_is "from a neighbour by the host's address" "I am web" \
	"$(c run --rm "$IMAGE" sh -c "$(inside 192.0.2.1 8080)")"
t_is "from a neighbour by the gateway" "I am web" \
	"$(c run --rm "$IMAGE" sh -c "$(inside '$(ip route | sed -n "s/default via \([^ ]*\).*/\1/p")' 8080)")"
t_is "from itself by the host's address" "I am web" \
	"$(c exec web sh -c "$(inside 192.0.2.1 8080)")"

# ---- and by which way nobody does ----
address=$(c inspect web | jq -r '.[0].address' | cut -d/ -f1)
outside ip route add "${address%.*}.0/24" via 192.0.2.1
t_is "who routes to the container is kept off" "" "$(outside bash -c "$(declare -f get); LIMIT=5 get $address:80" 2>/dev/null)"
t_is "the host is not" "I am web" "$(get "$address:80")"

# ---- what is shown ----
t_is "ctr port" $'80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080' "$(c port web)"
t_is "ctr port of one" "0.0.0.0:8080" "$(c port web 80 | head -n 1)"
t_status "ctr port of none" 1 c port web 81
t_match "ctr port of none: sentence" 'web does not publish port 81' "$T_ERR"
t_match "ctr ps" ' 0.0.0.0:8080->80/tcp +web$' "$(c ps)"
t_is "ctr inspect" '{"address":"0.0.0.0","host":8080,"container":80,"protocol":"tcp"}' \
	"$(c inspect web | jq -c '.[0].ports[0]')"

# ---- who holds it ----
says "a port of a container" 'port 8080/tcp is in use already, by container web' -p 8080:80
says "a port of a container, by one address" '127.0.0.1:8080/tcp is in use already, by container web' \
	-p 127.0.0.1:8080:80
busybox nc -l -p 7001 >/dev/null 2>&1 &
t_kill_later $!
t_wait 60 sh -c 'busybox netstat -tln | grep -q :7001'
says "a port of a program" 'port 7001/tcp is in use already$' -p 7001:80
says "twice the same" 'port 7002/tcp is in use' -p 7002:80 -p 7002:81
says "no address of ours" '192.0.2.77 is no address of this host' -p 192.0.2.77:7002:80
t_is "nothing was made" "web" "$(c ps -a --format json | jq -r '.[].name')"
t_status "nobody else can take it" 1 timeout 60 busybox nc -l -p 8080

# ---- wrong words ----
says "not a number" '"http:80": ports are numbers' -p http:80
says "a port of 0" '"0:80": ports are numbers' -p 0:80
says "a port too large" '"65536:80": ports are numbers' -p 65536:80
says "another protocol" '"80:80/sctp": only tcp and udp' -p 80:80/sctp
says "a name as address" '"localhost:80:80": the address must be a number' -p localhost:80:80
says "ranges that differ" '"8000-8002:80-81": both ranges must be of one length' -p 8000-8002:80-81
says "a range downwards" '"8002-8000:80": ports are numbers' -p 8002-8000:80
says "an empty one" '"": ports are numbers' -p ""
says "no network" 'only with --network bridge, nothing can come in' --network none -p 80
t_status "the host's network" 0 c run --rm --network host -p 80 "$IMAGE" true
t_match "the host's network: warning" 'publish does nothing with --network host' "$T_ERR"

# ---- the forms ----
t_status "addresses, free ports and ranges" 0 serve forms -p 127.0.0.1:8081:80 -p '[::1]:8082:80' \
	-p 80 -p 127.0.0.1::80 -p 8090-8092:80-82 -p 8080-8085:80
t_is "one address: there" "I am forms" "$(t_retry get 127.0.0.1:8081)"
t_status "one address: not elsewhere" 1 get 192.0.2.1:8081
t_status "one address: not by IPv6" 1 get '[::1]:8081'
t_is "one IPv6 address: there" "I am forms" "$(get '[::1]:8082')"
t_status "one IPv6 address: not elsewhere" 1 get 127.0.0.1:8082
t_is "a free port" "I am forms" "$(get "$(c port forms 80 | sed -n '/^0.0.0.0:/{p;q}')")"
t_is "the first free one of a range" "I am forms" "$(get 127.0.0.1:8083)"
t_is "a range" "8090 8091 8092" \
	"$(c inspect forms | jq -r '[.[0].ports[] | select(.host >= 8090 and .host <= 8092) | .host] | join(" ")')"
t_match "a range in ps" '0.0.0.0:8090-8092->80-82/tcp' "$(c ps)"
t_is "a range: its first" "I am forms" "$(get 127.0.0.1:8090)"
c rm -f forms >/dev/null

# ---- udp ----
# Perl is the host's: the image's programs have no server of UDP for many.
PERL=(-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro "$IMAGE" /usr/bin/perl -MSocket -e)
UDP_ECHO='socket S, AF_INET, SOCK_DGRAM, 0; bind S, sockaddr_in(53, INADDR_ANY) or die;
	while (1) { $from = recv S, $data, 65535, 0; send S, $data, 0, $from }'
c run -d --name echo -p 5300:53/udp "${PERL[@]}" "$UDP_ECHO" >/dev/null
udp() { timeout 10 bash -c "exec 3<>/dev/udp/$1/5300 && echo $2 >&3 && head -n 1 <&3"; }
t_is "udp from the host by 127.0.0.1" one "$(t_retry udp 127.0.0.1 one)"
t_is "udp from the host by its address" two "$(t_retry udp 192.0.2.1 two)"
t_is "udp from outside" three \
	"$(t_retry outside bash -c "$(declare -f udp); udp 192.0.2.1 three")"
t_is "udp by ::1" four "$(t_retry udp ::1 four)"
t_match "udp in ps" '0.0.0.0:5300->53/udp' "$(c ps)"
says "a busy udp port" 'port 5300/udp is in use already, by container echo' -p 5300:53/udp
c rm -f echo >/dev/null

# ---- bytes ----
# Half-closed: the answer comes after the end of what was sent.
c run -d --name count -p 8100:7 "$IMAGE" sh -c 'while true; do nc -l -p 7 -e sh -c "wc -c"; done' >/dev/null
t_is "what was sent arrives whole, and its end" 20000000 \
	"$(t_retry sh -c 'head -c 20000000 /dev/zero | busybox nc 127.0.0.1 8100' | tr -d ' ')"
c rm -f count >/dev/null
c run -d --name flood -p 8100:7 "$IMAGE" sh -c 'while true; do nc -l -p 7 -e head -c 30000000 /dev/zero; done' >/dev/null
t_is "a slow reader gets all" 30000000 \
	"$(t_retry sh -c 'busybox nc 127.0.0.1 8100 </dev/null | (sleep 1; wc -c) | grep -vx " *0"' | tr -d ' ')"
c rm -f flood >/dev/null
c run -d --name last -p 8100:7 "$IMAGE" sh -c 'nc -l -p 7 -e echo last words' >/dev/null
t_is "the last words of one that ends" "last words" "$(t_retry busybox nc 127.0.0.1 8100 </dev/null)"
c rm -f last >/dev/null
t_status "refused inside is an end outside" 1 sh -c \
	"$CELLAR_BIN/ctr --root $C_ROOT --runroot $C_RUN run -d --name idle -p 8100:7 $IMAGE sleep 1000 >/dev/null &&
	 busybox nc -w 20 127.0.0.1 8100 </dev/null | grep ."
c rm -f idle >/dev/null

# ---- the end ----
c stop -t 1 web >/dev/null
t_wait 60 tcp_free 8080 && t_ok "the port of a stopped one is free" || t_fail "the port of a stopped one is free" "still held"
t_match "a stopped one shows none" ' web$' "$(c ps -a)"
t_is "no port of a stopped one" 0 "$(c ps -a | grep -c '8080->')"
c rm web >/dev/null
t_status "the port can be used again" 0 serve again -p 8080:80
t_is "by the next" "I am again" "$(t_retry get 127.0.0.1:8080)"
c rm -f again >/dev/null
t_status "with --rm" 0 c run --rm -p 8080:80 "$IMAGE" true
t_status "a failed start" 127 c run --rm -p 8080:80 "$IMAGE" nosuch
t_wait 60 tcp_free 8080 && t_ok "nobody holds it" || t_fail "nobody holds it" "$(busybox netstat -tln)"
t_wait 60 sh -c '! ip -o link | grep -q "veth[0-9a-f]\{11\}"' || true
c_nothing_left "$T_DIR/before"
