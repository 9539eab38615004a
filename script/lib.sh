# shellcheck shell=bash
# Helpers shared by the scripts and by the shell tests. Source it; it changes nothing but adding functions.
#
# Everything here works on what it started itself: brokers are stopped by process id, temporary
# directories are the ones rw_tmp made.

RW_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export RW_TOP
RW_BIN=${RW_BIN:-$RW_TOP/build/rollway}

rw_say() { printf '%s\n' "$*"; }
rw_warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
rw_die() { rw_warn "$*"; exit 1; }
rw_have() { command -v "$1" >/dev/null 2>&1; }

# rw_jobs: how many compilers to run. ROLLWAY_JOBS overrides.
rw_jobs() { printf '%s' "${ROLLWAY_JOBS:-$(nproc)}"; }

# rw_tmp NAME: a new directory below TMPDIR, printed.
rw_tmp() { mktemp -d "${TMPDIR:-/tmp}/rollway-${1:-tmp}.XXXXXX"; }

# rw_free_port: prints a TCP port on 127.0.0.1 that nobody listens on now. ROLLWAY_PORTS=FROM-TO limits the choice.
rw_free_port() { python3 "$RW_TOP/test/support/ports.py"; }

# rw_wait_port PORT PID [SECONDS]: until something accepts on 127.0.0.1:PORT. Fails when PID is gone.
rw_wait_port() {
    local port=$1 pid=$2 tries=$(( ${3:-20} * 50 ))
    while [ "$tries" -gt 0 ]; do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then return 0; fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.02
        tries=$((tries - 1))
    done
    return 1
}

# rw_wait_ready LOG FROM PID [SECONDS]: until the broker PID has written into LOG, after its first FROM bytes, that it is
# ready. That something accepts on its port is not enough: it may be somebody else who was quicker.
rw_wait_ready() {
    local log=$1 from=$2 pid=$3 tries=$(( ${4:-60} * 20 ))
    while [ "$tries" -gt 0 ]; do
        if tail -c "+$((from + 1))" "$log" 2>/dev/null | grep -qE 'server +ready|msg=ready|"msg":"ready"'; then return 0; fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.05
        tries=$((tries - 1))
    done
    return 1
}

# rw_broker_start DIR [ARGUMENT...]: starts a broker on free ports with its data in DIR/data and waits
# until it is ready. Sets RW_PID, RW_PORT, RW_HTTP_PORT, RW_BROKER (host:port); output in DIR/broker.log.
# RW_PORT and RW_HTTP_PORT are kept when they are set already (a restart on the same address); a port chosen
# here that somebody else took meanwhile is chosen again.
# RW_WRAP: words put before the command (strace ...).
rw_broker_start() {
    local dir=$1 given=${RW_PORT:-} given_http=${RW_HTTP_PORT:-} from
    shift
    mkdir -p "$dir"
    for _ in 1 2 3 4 5; do
        RW_PORT=${given:-$(rw_free_port)}
        RW_HTTP_PORT=${given_http:-$(rw_free_port)}
        RW_BROKER=127.0.0.1:$RW_PORT
        from=$(stat -c %s "$dir/broker.log" 2>/dev/null || echo 0)
        # shellcheck disable=SC2086 # RW_WRAP is words on purpose
        ${RW_WRAP:-} "$RW_BIN" dev \
            --set "listeners=PLAINTEXT://$RW_BROKER" --set "rollway.http.listen=127.0.0.1:$RW_HTTP_PORT" \
            --set "log.dirs=$dir/data" "$@" >>"$dir/broker.log" 2>&1 3>&- &
        RW_PID=$!
        if rw_wait_ready "$dir/broker.log" "$from" "$RW_PID"; then
            export RW_PID RW_PORT RW_HTTP_PORT RW_BROKER
            return 0
        fi
        kill "$RW_PID" 2>/dev/null
        wait "$RW_PID" 2>/dev/null
        RW_PID=
        [ -z "$given" ] || break
        tail -c "+$((from + 1))" "$dir/broker.log" | grep -q 'already in use' || break
    done
    rw_warn "the broker did not start; the end of $dir/broker.log:"
    tail -n 20 "$dir/broker.log" >&2
    return 1
}

# rw_broker_stop [SIGNAL]: stops the broker of rw_broker_start (TERM: clean shutdown) and waits for its
# end. Returns its exit status.
rw_broker_stop() {
    local status=0 pid=${RW_PID:-}
    [ -n "$pid" ] || return 0
    RW_PID=
    kill "-${1:-TERM}" "$pid" 2>/dev/null || true
    wait "$pid" || status=$?
    return "$status"
}
