# For sourcing: starts the servers that a script needs, waits until each says that it listens, and
# ends every one of them, and nothing else, when the script does.
#
#   root                            the top of the checkout; the built lab comes first on the PATH:
#                                   that of LAB_PRODUCTS, or of .build/release
#   start_lab LOG ARGUMENT...       `lab record --port 0 ARGUMENT...`: sets lab_pid, lab_url
#   start_httpbin LOG [PORT]        httpbin under gunicorn: sets httpbin_pid, httpbin_url
#   start_nginx FOLDER              one worker answering 14 bytes to everything: sets nginx_pid, nginx_url
#   finish PID SIGNAL SECONDS       sends the signal, waits, returns the exit status (124: still there)

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH="${LAB_PRODUCTS:-$root/.build/release}:$PATH:/usr/sbin"
started=()

die() {
    printf '%s: %s\n' "$(basename "$0")" "$1" >&2
    exit "${2:-2}"
}

end_started() {
    local pid
    for pid in "${started[@]}"; do
        kill -TERM "$pid" 2>/dev/null || continue
        has_ended "$pid" 5 || kill -KILL "$pid" 2>/dev/null || true
    done
}
trap end_started EXIT
trap 'exit 130' INT TERM

has_ended() {
    local tries=$(($2 * 50))
    while kill -0 "$1" 2>/dev/null; do
        [ $((tries--)) -gt 0 ] || return 1
        sleep 0.02
    done
}

finish() {
    kill "-$2" "$1" 2>/dev/null || true
    has_ended "$1" "$3" || return 124
    local status=0
    wait "$1" || status=$?
    return $status
}

# said PID LOG EXPRESSION WHAT: waits, 15 seconds at most, for a line in the log, and prints its match.
said() {
    local tries=750 match
    until match=$(grep -oE -m 1 "$3" "$2" 2>/dev/null); do
        if ! kill -0 "$1" 2>/dev/null || [ $((tries--)) -eq 0 ]; then
            cat "$2" >&2
            die "$4 did not start; what it said is above, and in $2."
        fi
        sleep 0.02
    done
    printf '%s\n' "$match"
}

# A shell without job control starts what is in the background with SIGINT ignored; `env` undoes it.
start_lab() {
    local log=$1 line
    shift
    : >"$log"
    env --default-signal=INT lab record --port 0 "$@" 2>"$log" &
    lab_pid=$!
    started+=("$lab_pid")
    line=$(said "$lab_pid" "$log" '^lab: listening on http://[^ ]+' 'lab record') || exit 2
    lab_url=${line#lab: listening on }
}

# Two workers of one thread each. Keep-alive works, and no request runs beside another in one
# process, so what httpbin draws from a seed is the same every time.
start_httpbin() {
    local log=$1 line
    : >"$log"
    "$root/.build/venv/bin/python" -m gunicorn --bind "127.0.0.1:${2:-0}" --worker-class gthread --workers 2 --threads 1 \
        --keep-alive 30 httpbin:app 2>"$log" >/dev/null &
    httpbin_pid=$!
    started+=("$httpbin_pid")
    line=$(said "$httpbin_pid" "$log" 'Listening at: http://[^ ]+' 'httpbin under gunicorn') || exit 2
    httpbin_url=${line#Listening at: }
}

is_answering() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
    local port
    for _ in {1..100}; do
        port=$((20000 + RANDOM % 12000))
        if ! is_answering "$port"; then
            echo "$port"
            return
        fi
    done
    die 'found no free port between 20000 and 32000.'
}

start_nginx() {
    local folder=$1 port tries=750
    port=$(free_port)
    cat >"$folder/nginx.conf" <<CONF
worker_processes 1; daemon off; error_log $folder/nginx-error.log; pid $folder/nginx.pid;
events { worker_connections 4096; }
http {
    access_log off; server_tokens off; keepalive_requests 1000000000; default_type text/plain;
    client_body_temp_path $folder/n1; proxy_temp_path $folder/n2; fastcgi_temp_path $folder/n3;
    uwsgi_temp_path $folder/n4; scgi_temp_path $folder/n5;
    server { listen 127.0.0.1:$port; location / { return 200 "Hello, World!\n"; } }
}
CONF
    nginx -c "$folder/nginx.conf" 2>"$folder/nginx.log" &
    nginx_pid=$!
    started+=("$nginx_pid")
    nginx_url=http://127.0.0.1:$port
    until is_answering "$port"; do
        if ! kill -0 "$nginx_pid" 2>/dev/null || [ $((tries--)) -eq 0 ]; then
            cat "$folder/nginx.log" >&2
            die 'nginx did not start; what it said is above.'
        fi
        sleep 0.02
    done
}
