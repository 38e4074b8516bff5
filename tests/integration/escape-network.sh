#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Attacks on what the shim does in the network for a container: its name server, from inside, and
# its published ports, from both sides.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
command -v jq >/dev/null || t_skip_all "jq is not installed"
command -v perl >/dev/null || t_skip_all "perl is not installed"
t_own_namespaces "$@"
# A name server on the host's loopback that notes what it hears. Not below $T_DIR: see network-names.
RESOLV=$(mktemp)
t_defer "umount /etc/resolv.conf; rm -f $RESOLV"
echo 'nameserver 127.0.0.1' >"$RESOLV"
mount --bind "$RESOLV" /etc/resolv.conf || t_skip_all "cannot mount over /etc/resolv.conf"
. "$T_TOP/tests/lib/ctr.sh"
c_setup
cat >"$T_DIR/server" <<'END'
use Socket; $| = 1;
socket U, AF_INET, SOCK_DGRAM, 0; bind U, sockaddr_in(53, inet_aton("127.0.0.1")) or die;
socket T, AF_INET, SOCK_STREAM, 0; setsockopt T, SOL_SOCKET, SO_REUSEADDR, 1;
bind T, sockaddr_in(53, inet_aton("127.0.0.1")) or die; listen T, 5;
sub note { my ($how, $q) = @_; my ($id, $flags) = unpack "nn", $q;
	print "$how ", ($flags >> 11) & 15, " ", length $q, "\n"; return pack("nn", $id, 0x8180) . substr $q, 4 }
my (%c, %q);
while (1) {
	my $bits = ""; vec($bits, fileno $_, 1) = 1 for *U, *T, values %c;
	next if select($bits, undef, undef, undef) <= 0;
	if (vec $bits, fileno U, 1) { my $from = recv U, my $q, 65535, 0; send U, note("udp", $q), 0, $from }
	if (vec $bits, fileno T, 1) { accept my $c, T; $c{fileno $c} = $c }
	for my $c (grep { vec $bits, fileno $_, 1 } values %c) {
		my $k = fileno $c; my $n = sysread $c, $q{$k}, 70000, length($q{$k} // "");
		if (!$n) { delete $c{$k}; delete $q{$k}; close $c; next }
		my $q = $q{$k}; next if length $q < 2 || length $q < 2 + unpack "n", $q;
		my $a = note("tcp", substr $q, 2); syswrite $c, pack("n", length $a) . $a; $q{$k} = "";
	}
}
END
perl "$T_DIR/server" >"$T_DIR/heard" &
t_kill_later $!
t_wait 60 sh -c 'busybox netstat -tln | grep -q "127.0.0.1:53 "' || t_fail "the name server" "does not listen"
LIBC=(-v /usr:/usr:ro -v /lib:/lib:ro -v /lib64:/lib64:ro)
cat >"$T_DIR/ask" <<'END'
# ask udp|tcp FLAGS TYPE [BYTES-IN-A-PIECE]: the code of the answer, or none
use Socket; my ($how, $flags, $type, $piece) = @ARGV; $SIG{ALRM} = sub { print "none"; exit }; $SIG{PIPE} = "IGNORE"; alarm 60;
my $q = pack("nnnnnn", 7, hex $flags, 1, 0, 0, 0) . "\4host\7example\0" . pack "nn", $type, 1;
socket S, AF_INET, $how eq "udp" ? SOCK_DGRAM : SOCK_STREAM, 0;
connect S, sockaddr_in(53, inet_aton("127.0.0.11")) or die;
$q = pack("n", length $q) . $q if $how eq "tcp"; $piece ||= length $q;
for (my $at = 0; $at < length $q; $at += $piece) { syswrite S, substr($q, $at, $piece) or last; select undef, undef, undef, 0.05 if $piece < 9 }
my $n = sysread S, my $a, 65535;
print $n ? (unpack "n", substr $a, $how eq "tcp" ? 4 : 2) & 15 : "none";
END
mkdir "$T_DIR/shared"
cp "$T_DIR/ask" "$T_DIR/shared/"
ulimit -Sn 1024 # as it is on most hosts
c run -d --name enemy -p 127.0.0.1:7080:80 "${LIBC[@]}" -v "$T_DIR/shared:/t" "$IMAGE" \
	sh -c 'mkdir /w; echo I am enemy >/w/index.html; exec /bin/busybox httpd -f -p 80 -h /w' >/dev/null
shim=$(for f in $(grep -lsa "$(c inspect enemy | jq -r '.[0].id')" /proc/[0-9]*/cmdline); do
	[ "$(cat "${f%cmdline}comm" 2>/dev/null)" = containerd-shim ] && cut -d/ -f3 <<<"$f"
done)
ask() { c exec enemy /usr/bin/perl /t/ask "$@"; }
fds() { find "/proc/$shim/fd" -mindepth 1 | wc -l; }
rss() { awk '/VmHWM/ { print $2 }' "/proc/$shim/status"; }

# ---- the host's name server, to which questions seem to come from the host ----
t_is "a question by UDP" 0 "$(ask udp 0100 1)"
t_is "a question by TCP" 0 "$(ask tcp 0100 1)"
t_is "a question by TCP, in pieces" 0 "$(ask tcp 0100 1 3)"
t_is "a zone by UDP" 5 "$(ask udp 0000 251)"
before=$(wc -l <"$T_DIR/heard")
t_is "a zone by TCP" none "$(ask tcp 0000 252)"
t_is "a change (UPDATE) by TCP" none "$(ask tcp 2800 6)"
t_is "a change by TCP, in pieces" none "$(ask tcp 2800 6 3)"
t_is "a notice (NOTIFY) by TCP" none "$(ask tcp 2000 6)"
t_is "none of it came whole to the server" "" "$(tail -n "+$((before + 1))" "$T_DIR/heard")"

# ---- nonsense to the name server ----
cat >"$T_DIR/shared/noise" <<'END'
use Socket; srand 4; socket S, AF_INET, SOCK_DGRAM, 0; connect S, sockaddr_in(53, inet_aton("127.0.0.11"));
my $q = pack("nnnnnn", 7, 0x100, 1, 0, 0, 0);
for my $i (1 .. 3000) {
	my $m = $q . "\3web\0\0\1\0\1" . join "", map { chr rand 256 } 1 .. rand 40;
	substr($m, rand length $m, 1) = chr rand 256 for 0 .. rand 4;
	$m = substr $m, 0, rand length $m if $i % 3 == 0;
	$m .= "x" x 3000 if $i % 100 == 0;
	$m = $q . "\xc0\x0c\0\1\0\1" if $i % 100 == 1;
	send S, $m, 0;
}
for (1 .. 40) { socket my $t, AF_INET, SOCK_STREAM, 0; connect $t, sockaddr_in(53, inet_aton("127.0.0.11")); syswrite $t, "\xff\xff" . $q; push @t, $t }
print "done";
END
t_is "nonsense is sent" "done" "$(c exec enemy timeout 300 /usr/bin/perl /t/noise)"
t_is "names are answered after it" 0 "$(ask udp 0100 1)"
t_is "by TCP too" 0 "$(ask tcp 0100 1)"

# ---- published ports ----
get() { timeout 120 bash -c 'exec 3<>/dev/tcp/127.0.0.1/7080 && printf "GET / HTTP/1.0\r\n\r\n" >&3 && sed "1,/^.\$/d" <&3'; }
t_is "the port" "I am enemy" "$(get)"
limit=$(awk '/Max open files/ { print $4 }' "/proc/$shim/limits")
cat >"$T_DIR/flood" <<'END'
use Socket; use Fcntl; $| = 1; my @s;
for (1 .. 900) {
	socket my $s, AF_INET, SOCK_STREAM, 0; fcntl $s, F_SETFL, O_NONBLOCK;
	connect $s, sockaddr_in(7080, inet_aton("127.0.0.1")); push @s, $s; select undef, undef, undef, 0.001;
}
print "open\n"; <STDIN>;
END
mkfifo "$T_DIR/go"
exec 8<>"$T_DIR/go"
perl "$T_DIR/flood" <&8 >"$T_DIR/flooded" &
flood=$!
t_wait 60 grep -q open "$T_DIR/flooded"
t_at_most "900 idle connections: descriptors of the shim" $((limit - 100)) "$(fds)"
t_is "names are answered meanwhile" 0 "$(ask udp 0100 1)"
t_is "and commands started" fine "$(c exec enemy echo fine)"
echo >&8
wait "$flood" 2>/dev/null
exec 8<&-
# What the program's own queue did not take is tried again by the kernel for two minutes: in the short
# run, more than half of them.
left=$((limit / 2))
[ -z "${CELLAR_TEST_FULL:-}" ] || left=100
t_wait 200 sh -c "[ \$(find /proc/$shim/fd -mindepth 1 | wc -l) -lt $left ]" && t_ok "they are let go" || t_fail "they are let go" "$(fds) descriptors"
t_is "the port is of use again" "I am enemy" "$(get)"
t_at_most "memory of the shim" 32768 "$(rss)" KiB
c rm -f enemy >/dev/null
