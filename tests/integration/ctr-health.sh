#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Health checks: what decides, what ps and inspect show, what follows, and who goes on when the
# supervisor dies.
. "$(dirname "$0")/../lib/common.sh"
t_need_root
t_own_namespaces "$@"
. "$T_TOP/tests/lib/ctr.sh"
. "$T_TOP/tests/lib/image.sh"
c_setup
c_residue >"$T_DIR/before"
field() { c inspect "$1" | jq -c ".[0].$2"; }
health() { c inspect "$1" | jq -r '.[0].health.status'; }
is_health() { [ "$(health "$1")" = "$2" ]; }
turns() { t_wait 60 is_health "$1" "$2" && t_ok "$3" || t_fail "$3" "it is $(health "$1"), not $2"; }
says() {
	local name=$1 pattern=$2
	shift 2
	t_status "$name" 125 c run "$@" "$IMAGE" true
	t_match "$name: sentence" "^ctr: run: $pattern" "$T_ERR"
}

# ---- what decides, what is shown ----
c run -d --name plain --network none "$IMAGE" sleep 1000 >/dev/null
t_is "one without a check has no health" "null null" "$(field plain health) $(field plain health_check)"
c run -d --name slow --network none --health-cmd true "$IMAGE" sleep 1000 >/dev/null
t_is "it begins as starting" starting "$(health slow)"
t_match "and ps says so" 'Up [^(]* \(health: starting\) ' "$(c ps)"
t_is "Docker's defaults" '["CMD-SHELL","true"] 30000000000 30000000000 0 5000000000 3 "none"' \
	"$(c inspect slow | jq -r '.[0].health_check | "\(.test) \(.interval_ns) \(.timeout_ns) \(.start_period_ns) \(.start_interval_ns) \(.retries) \(.on_failure|tojson)"')"
c run -d --name app --network none --health-cmd 'echo look; cat /ok' --health-interval 100ms --health-timeout=20s \
	--health-retries 2 -e OK=1 --user 1000 -v "$T_DIR:/t" "$IMAGE" sleep 1000 >/dev/null
turns app unhealthy "failures in a row make it unhealthy"
t_match "ps says so" '\(unhealthy\)' "$(c ps)"
t_is "in JSON, too" unhealthy "$(c ps --format json | jq -r '.[] | select(.name == "app") | .health_status')"
t_is "a result has status and output" '1 "look\ncat: can'"'"'t open '"'"'/ok'"'"': No such file or directory\n"' \
	"$(c inspect app | jq -r '.[0].health.log[0] | "\(.exit_code) \(.output|tojson)"')"
t_is "five results are kept" true "$(sleep 1; field app 'health.log | length <= 5')"
c exec -u 0 app touch /ok
turns app healthy "a success makes it healthy"
t_is "and the streak is over" 0 "$(field app health.failing_streak)"
c rm -f app slow plain >/dev/null

c run -d --name words --network none --health-cmd '["sh", "-c", "[ \"$(id -u)\" = 7 ] && [ \"$A\" = b ]"]' \
	--health-interval 100ms -u 7 -e A=b --read-only "$IMAGE" sleep 1000 >/dev/null
turns words healthy "a check is like the container's own process; words as JSON"
c rm -f words >/dev/null
c run -d --name long --network none --health-cmd 'sleep 1001' --health-interval 100ms --health-timeout 200ms \
	--health-retries 1 "$IMAGE" sleep 1000 >/dev/null
turns long unhealthy "one that takes too long has failed"
t_is "and says why" '-1 it took longer than 0.2 s' \
	"$(c inspect long | jq -r '.[0].health.log[0] | "\(.exit_code) \(.output)"')"
few() { [ "$(c exec long ps | grep -c 'sleep 1001')" -le 1 ]; }
t_wait 60 few && t_ok "its processes are killed" || t_fail "its processes are killed" "$(c exec long ps)"
c rm -f long >/dev/null
c run -d --name late --network none --health-cmd 'cat /ok' --health-interval 1h --health-start-period 1h \
	--health-start-interval 100ms --health-retries 1 "$IMAGE" sleep 1000 >/dev/null
tried() { [ "$(field late 'health.log | length')" -ge 3 ]; }
t_wait 60 tried || t_fail "the start interval" "it is not looked at"
t_is "failures do not count in the start period" starting "$(health late)"
c exec late touch /ok
turns late healthy "a success ends it"
c rm -f late >/dev/null

# ---- by the network ----
c run -d --name web --health-http 8080/there --health-interval 100ms --health-retries 1 "$IMAGE" \
	sh -c 'mkdir /www; httpd -h /www -p 127.0.0.1:8080; exec sleep 1000' >/dev/null
missing() { field web 'health.log[-1].output' | grep -q 'HTTP/1.[01] 404'; }
t_wait 60 missing || t_fail "HTTP" "no answer"
t_is "HTTP: 404 is a failure" unhealthy "$(health web)"
c exec web sh -c 'echo hello >/www/there'
turns web healthy "HTTP: 200 is health"
c rm -f web >/dev/null
c run -d --name port --health-tcp 9000 --health-interval 100ms --health-retries 1 "$IMAGE" sleep 1000 >/dev/null
turns port unhealthy "TCP: nobody listens"
t_match "and says so" 'port 9000: Connection refused' "$(field port 'health.log[0].output')"
c exec port httpd -p 127.0.0.1:9000
turns port healthy "TCP: somebody does"
c rm -f port >/dev/null

# ---- from the image ----
mkdir "$T_DIR/folder"
BASE=1 t_image_of localhost/sick:1 "$T_DIR/sick" "$T_DIR/folder" '{"Cmd": ["sleep", "1000"], "Healthcheck":
	{"Test": ["CMD", "test", "-e", "/ok"], "Interval": 100000000, "Retries": 1}}'
c image import "$T_DIR/sick" >/dev/null
c run -d --name image --network none sick:1 >/dev/null
turns image unhealthy "the image's check is made"
c run -d --name image2 --network none --health-retries 1000 sick:1 >/dev/null
t_is "what is asked for goes over it" '["CMD","test","-e","/ok"] 1000 100000000' \
	"$(c inspect image2 | jq -r '.[0].health_check | "\(.test) \(.retries) \(.interval_ns)"')"
c run -d --name image3 --network none --no-healthcheck sick:1 >/dev/null
t_is "--no-healthcheck" null "$(field image3 health_check)"
c rm -f image image2 image3 >/dev/null
c image rm sick:1 >/dev/null

# With -e a failure in the midst counts.
BASE=1 t_image_of localhost/shell:1 "$T_DIR/shell" "$T_DIR/folder" '{"Cmd": ["sleep", "1000"], "Shell": ["/bin/sh", "-ec"],
	"Healthcheck": {"Test": ["CMD-SHELL", "false; true"], "Interval": 100000000, "Retries": 1}}'
c image import "$T_DIR/shell" >/dev/null
c run -d --name shell --network none shell:1 >/dev/null
turns shell unhealthy "the image's own shell runs its check"
c rm -f shell >/dev/null
c image rm shell:1 >/dev/null

# ---- what follows ----
c run -d --name fatal --network none --health-cmd false --health-interval 100ms --health-retries 1 \
	--health-on-failure kill "$IMAGE" sleep 1000 >/dev/null
t_is "on failure: kill" 137 "$(c wait fatal)"
c run -d --name over --network none --restart always --health-cmd 'test ! -e /up' --health-interval 100ms \
	--health-retries 1 --health-on-failure stop "$IMAGE" sh -c 'trap "exit 5" TERM; touch /up; while :; do sleep 0.1; done' >/dev/null
t_is "on failure: stop, which no restart follows" "5 exited" "$(c wait over) $(field over status | tr -d '"')"
c run -d --name again --network none --health-cmd 'test -e /ok' --health-interval 100ms --health-retries 1 \
	--health-on-failure restart --stop-signal KILL "$IMAGE" sh -c 'echo run; exec sleep 1000' >/dev/null
ran() { [ "$(c logs again | grep -c run)" -ge 3 ]; }
t_wait 60 ran && t_ok "on failure: restart" || t_fail "on failure: restart" "it is not"
t_wait 60 c exec again touch /ok
turns again healthy "which may help"
c rm -f fatal over again >/dev/null
c run -d --name gone --network none --health-cmd false --health-interval 100ms --health-retries 1 "$IMAGE" \
	sh -c 'echo $$; exec sleep 1000' >/dev/null
turns gone unhealthy "without a word"
t_is "nothing follows" running "$(field gone status | tr -d '"')"
c rm -f gone >/dev/null

# ---- paused; the supervisor dies ----
c run -d --name life --network none --health-cmd 'test -e /ok' --health-interval 100ms --health-retries 2 \
	"$IMAGE" sleep 1000 >/dev/null
turns life unhealthy "before a pause"
c pause life >/dev/null
looks() { field life 'health.log[-1].end'; }
# One that was over then may be noted a moment later.
none() { before=$(looks) && sleep 0.5 && [ "$(looks)" = "$before" ]; }
t_wait 60 none && t_ok "no looks while it is paused" || t_fail "no looks while it is paused" "$(looks)"
c unpause life >/dev/null
c exec life touch /ok
turns life healthy "after it"
t_kill "$(pgrep -f "id $(field life id | tr -d '"') ")"
t_is "what is known survives the supervisor" healthy "$(health life)"
c exec life rm /ok
turns life unhealthy "and the next one goes on looking"
c rm -f life >/dev/null

# ---- wrong ----
says "nothing to do" 'there is no health check' --health-interval 1s
says "two kinds" '--health-cmd, --health-http and --health-tcp exclude' --health-cmd true --health-tcp 80
says "none and some" '--no-healthcheck and' --no-healthcheck --health-cmd true
says "a time" '--health-timeout: "soon"' --health-cmd true --health-timeout soon
says "a short one" '--health-interval: "1us" is too short' --health-cmd true --health-interval 1us
says "an action" '--health-on-failure: "dance"' --health-cmd true --health-on-failure dance
says "a port" 'the health check "70000"' --health-tcp 70000
says "a path" 'the health check "80/a b"' --health-http '80/a b'
says "no words" '--health-cmd: ' --health-cmd '[]'
says "no command" '--health-cmd: ' --health-cmd ''
says "--rm and restart" '--rm and --health-on-failure restart' --rm --health-cmd true --health-on-failure restart
c_clean >/dev/null
c_nothing_left "$T_DIR/before"
