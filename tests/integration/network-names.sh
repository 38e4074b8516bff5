#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names between containers, and the way to the host's name servers.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
# A name server on the host's loopback, that a container cannot reach by itself. In Perl: it knows
# host.example, and for long.example an answer that only fits into TCP.
# Not below $T_DIR, by which t_processes knows containers.
RESOLV=$(mktemp)
t_defer "umount /etc/resolv.conf; rm -f $RESOLV"
echo $'nameserver 127.0.0.1\nsearch corp.example\n' >"$RESOLV"
mount --bind "$RESOLV" /etc/resolv.conf || t_skip_all "cannot mount over /etc/resolv.conf"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
cat >"$T_DIR/dns" <<'END'
use Socket;
socket U, AF_INET, SOCK_DGRAM, 0; bind U, sockaddr_in(53, inet_aton("127.0.0.1")) or die;
socket T, AF_INET, SOCK_STREAM, 0; setsockopt T, SOL_SOCKET, SO_REUSEADDR, 1;
bind T, sockaddr_in(53, inet_aton("127.0.0.1")) or die; listen T, 5;
sub answer {
	my ($q, $tcp) = @_; my ($name, $at) = ("", 12);
	while (my $l = ord substr $q, $at, 1) { $name .= substr($q, $at + 1, $l) . "."; $at += 1 + $l }
	my $type = unpack "n", substr $q, $at + 1, 2; my $end = $at + 5;
	my $n = $type != 1 ? 0 : $name eq "host.example." ? 1 : $name eq "long.example." ? 60 : -1;
	my $flags = 0x8180 | ($n < 0 && $type == 1 ? 3 : 0); $n = 0 if $n < 0;
	if ($n > 10 && !$tcp) { $flags |= 0x0200; $n = 0 }
	return substr($q, 0, 2) . pack("nnnnn", $flags, 1, $n, 0, 0) . substr($q, 12, $end - 12) .
		join "", map { pack "nnnNnC4", 0xc00c, 1, 1, 60, 4, 198, 51, 100, $_ } 1 .. $n;
}
$SIG{ALRM} = sub { };
while (1) {
	my $bits = ""; vec($bits, fileno U, 1) = 1; vec($bits, fileno T, 1) = 1;
	next if select($bits, undef, undef, undef) <= 0;
	if (vec $bits, fileno U, 1) { my $from = recv U, my $q, 1500, 0; send U, answer($q, 0), 0, $from }
	if (vec $bits, fileno T, 1) {
		accept my $c, T or next; sysread $c, my $q, 1500 or next;
		my $a = answer(substr($q, 2), 1); syswrite $c, pack("n", length $a) . $a; close $c;
	}
}
END
perl "$T_DIR/dns" &
t_kill_later $!
t_wait 60 sh -c 'busybox netstat -tln | grep -q "127.0.0.1:53 "' || t_fail "the name server" "does not listen"
c_residue >"$T_DIR/before"

# address CONTAINER NAME: the IPv4 address that a program inside finds for the name, by the C library
# of the host, as the image's is static and has no resolver
LIBC=(-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro)
ask() { c exec "$1" /usr/bin/perl -MSocket -e 'my (undef, undef, undef, undef, @a) = gethostbyname $ARGV[0]; print join " ", map inet_ntoa($_), @a' "$2"; }
ask6() { c exec "$1" /usr/bin/perl -MSocket=:all -e 'my ($e, @r) = getaddrinfo $ARGV[0], "", {family => AF_INET6, socktype => SOCK_STREAM}; print Socket::inet_ntop(AF_INET6, (unpack_sockaddr_in6 $r[0]{addr})[1]) unless $e' "$2"; }
of() { c inspect "$1" | jq -r ".[0].address${2:-}" | cut -d/ -f1; }
start() {
	local name=$1
	shift
	c run -d --name "$name" "${LIBC[@]}" "$@" "$IMAGE" sleep 1000 >/dev/null
}

start early
t_is "the supervisor is asked" "nameserver 127.0.0.11" "$(c exec early grep nameserver /etc/resolv.conf)"
t_is "the host's domains stay" "search corp.example" "$(c exec early grep search /etc/resolv.conf)"
t_is "an unknown name" "" "$(ask early web)"
id=$(c run -d --name web --hostname www --network-alias Cache --network-alias db "${LIBC[@]}" "$IMAGE" sleep 1000)
web=$(of web)
t_is "a name, for one that was there before" "$web" "$(ask early web)"
t_is "the name as others write it" "$web" "$(ask early cache)"
# One of digits alone the C library takes for an address.
[[ ${id:0:12} =~ ^[0-9]*$ ]] && t_skip "the beginning of the id" "${id:0:12} is a number" ||
	t_is "the beginning of the id ${id:0:12}" "$web" "$(ask early "${id:0:12}")"
t_is "the host name" "$web" "$(ask early www)"
t_is "its own name" "$web" "$(ask web web)"
t_is "the other way round" "$(of early)" "$(ask web early)"
[ ! -e /proc/net/if_inet6 ] || t_is "by IPv6" "$(of web 6)" "$(ask6 early web)"
start db2 --network-alias db
t_is "an alias of two" "$(printf '%s\n' "$web" "$(of db2)" | sort | xargs)" "$(ask early db | tr ' ' '\n' | sort | xargs)"
start joined --network container:web
t_is "one that shares a network has its address" "$web" "$(ask early joined)"
t_is "and asks as it does" "$(of early)" "$(ask joined early)"
c rm -f joined >/dev/null

t_is "port 53 is the container's own" ok "$(c exec early /usr/bin/perl -MSocket -e 'socket S, AF_INET, SOCK_DGRAM, 0; bind S, sockaddr_in(53, INADDR_ANY) or die; print "ok"')"

# ---- the end of a name ----
c stop -t 0 db2 >/dev/null
t_is "of one that was stopped" "" "$(ask early db2)"
t_is "of an alias that two had" "$web" "$(ask early db)"
shim=$(for f in $(grep -lsa "$id" /proc/[0-9]*/cmdline); do
	[ "$(cat "${f%cmdline}comm" 2>/dev/null)" = containerd-shim ] && cut -d/ -f3 <<<"$f"
done)
pid=$(c inspect web | jq '.[0].pid')
kill -9 "$shim" "$pid"
gone() { [ -z "$(ask early web)" ]; }
t_wait 60 gone && t_ok "of one that was killed with its supervisor" || t_fail "of one that was killed with its supervisor" "$(ask early web)"
t_is "of its aliases" "" "$(ask early cache)"
c rm -f web db2 >/dev/null
start web
t_is "a name that comes back has the new address" "$(of web)" "$(ask early web)"
[ "$(of web)" != "$web" ] && t_ok "which is another" || t_fail "which is another" "$web again"

# ---- all other names ----
t_is "the host's server on its loopback" 198.51.100.1 "$(ask early host.example)"
t_is "an answer too long for UDP" 60 "$(ask early long.example | wc -w)"
t_is "a name that it does not know" "" "$(ask early nosuch.example)"
t_is "--dns" "198.51.100.1" "$(c run --rm "${LIBC[@]}" --dns 192.0.2.1 --dns 127.0.0.1 "$IMAGE" \
	/usr/bin/perl -MSocket -e 'print inet_ntoa((gethostbyname "host.example")[4])')"
t_is "--dns-search" "198.51.100.1" "$(c run --rm "${LIBC[@]}" --dns-search example "$IMAGE" \
	/usr/bin/perl -MSocket -e 'print inet_ntoa((gethostbyname "host")[4])')"

c rm -f early web >/dev/null
t_is "the index is empty" "" "$(ls "$C_ROOT/networks/names" 2>/dev/null)"
t_wait 60 sh -c '! ip -o link | grep -q "veth[0-9a-f]\{11\}"' || true
c_nothing_left "$T_DIR/before"
