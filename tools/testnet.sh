#!/usr/bin/env bash
# From nothing to a local network that trains a model on real text.
#
# Usage: tools/testnet.sh [--text FILE ...] [--blocks K] [--dir DIR] [--nodes N] [-- GRADIENTD_OPTION ...]
#
#   --text FILE ...  train on these texts, joined (default: the licence texts of /usr/share/common-licenses)
#   --blocks K       stop after K blocks with a summary (default: run until Ctrl-C)
#   --dir DIR        where the network lives (default: build/testnet of this source tree); an existing one goes on
#   --nodes N        number of nodes (default: 1), each with its own data, DIR/node1 to nodeN, and its own identity
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
dir="$root/build/testnet"
nodes=1
blocks=0
texts=()
node_options=()

usage_error() {
    echo "testnet: $1" >&2
    exit 2
}

while [[ $# -gt 0 ]]; do
    case "$1" in
        --text)
            shift
            while [[ $# -gt 0 && "$1" != --* ]]; do texts+=("$(realpath -m -- "$1")") && shift; done
            [[ ${#texts[@]} -gt 0 ]] || usage_error "--text needs a file."
            ;;
        --blocks | --dir | --nodes)
            [[ $# -ge 2 ]] || usage_error "$1 needs a value."
            case "$1" in
                --blocks) blocks="$2" ;;
                --dir) dir="$(realpath -m -- "$2")" ;;
                --nodes) nodes="$2" ;;
            esac
            shift 2
            ;;
        --)
            shift
            node_options=("$@")
            break
            ;;
        -h | --help)
            sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) usage_error "there is no option $1; see --help." ;;
    esac
done
[[ "$blocks" =~ ^[0-9]{1,9}$ ]] || usage_error "--blocks needs a number."
blocks=$((10#$blocks))  # 08 is eight, not an error of base 8
[[ "$nodes" =~ ^[1-9][0-9]{0,2}$ ]] || usage_error "--nodes needs a number from 1 to 999."
if [[ ${#texts[@]} -gt 0 && -e "$dir/chain.json" ]]; then
    usage_error "the network in $dir has its text already; choose another --dir for a new one."
fi

mkdir -p "$dir"

# Runs a command; shows what it said only if it failed.
quietly() {
    local log="$dir/build.log"
    "$@" >"$log" 2>&1 || {
        cat "$log" >&2
        echo "testnet: failed: $*" >&2
        exit 1
    }
}

"$root/tools/install_packages.sh"
echo "Building (build/release) ..."
cd "$root"
quietly cmake --preset release
quietly cmake --build --preset release --target gradientd gradient
bin="$root/build/release/bin"

if [[ ! -e "$dir/chain.json" ]]; then
    if [[ ${#texts[@]} -eq 0 ]]; then
        # Regular files only: the links among them point at others.
        mapfile -d '' -t texts < <(find /usr/share/common-licenses -maxdepth 1 -type f -print0 | LC_ALL=C sort -z)
        [[ ${#texts[@]} -gt 0 ]] || usage_error "/usr/share/common-licenses holds no text; name one with --text."
    fi
    "$bin/gradient" init --text "${texts[@]}" --out "$dir/chain.json"
fi

# Peers listen where only this machine reaches them, unless the options after -- say otherwise.
[[ " ${node_options[*]} " == *" --listen"* ]] || node_options+=(--listen 127.0.0.1)
[[ " ${node_options[*]} " == *" --port"* ]] || node_options+=(--port 0)
dialled=3 # nodes beside the first that a new one dials; it hears of the others from them

pids=()        # of the nodes, in order; empty where one has ended
watcher=""

# name_of NUMBER: as people are told of it.
name_of() {
    if [[ "$nodes" -eq 1 ]]; then echo "the node"; else echo "node $1"; fi
}

stop_nodes() {
    trap - EXIT INT TERM
    [[ -z "$watcher" ]] || kill "$watcher" 2>/dev/null || true
    local i
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        [[ -z "${pids[i]}" ]] || kill -TERM "${pids[i]}" 2>/dev/null || true
    done
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
        [[ -z "${pids[i]}" ]] || wait "${pids[i]}" 2>/dev/null || true
    done
}

# tell_death NUMBER WHAT: the node's last word, and where there is more.
tell_death() {
    tail -n 1 "$dir/node$1.log" >&2
    echo "testnet: $(name_of "$1") $2; its log is $dir/node$1.log." >&2
}

# node_died NUMBER WHAT CODE: ends the script as the node ended.
node_died() {
    pids[$1 - 1]=""
    stop_nodes
    tell_death "$1" "$2"
    exit $(($3 == 0 ? 1 : $3))
}

# start_node NUMBER: starts it and waits until it tells its address.
start_node() {
    local here="$dir/node$1" options=("${node_options[@]}") other i
    for ((other = 1; other < $1; other++)); do
        [[ "$other" -eq 1 || "$other" -ge $(($1 - dialled)) ]] || continue
        options+=(--connect "$(<"$dir/node$other/peer_endpoint")")
    done
    touch "$dir/start" # a file of a killed node may lie where the new one will tell its address
    # In a process group of its own, so that Ctrl-C reaches this script alone, which then stops the nodes in order.
    set -m
    "$bin/gradientd" --data "$here" --chain "$dir/chain.json" --rpc-port 0 "${options[@]}" 2>>"$here.log" &
    pids+=("$!")
    set +m
    for ((i = 0; i < 600; i++)); do
        [[ "$here/rpc_endpoint" -nt "$dir/start" ]] && return
        kill -0 "${pids[$1 - 1]}" 2>/dev/null || {
            wait "${pids[$1 - 1]}" && code=0 || code=$?
            node_died "$1" "did not start" "$code"
        }
        sleep 0.1
    done
    echo "testnet: $(name_of "$1") did not tell its address within 60 s; its log is $here.log." >&2
    exit 5
}

# from_json FIELD: the first value of that name, a number or a text without quotes in it.
from_json() { grep -oE "\"$1\": ?\"?[^\",}]*" | head -n 1 | sed -E 's/^"[^"]*": ?"?//'; }

# Finds how many nodes have the same block at the greatest height that all of them have: sets same, running, lowest, first.
compare_nodes() {
    local i height id
    lowest="" first="" same=0 running=0
    for ((i = 1; i <= nodes; i++)); do
        [[ -n "${pids[i - 1]}" ]] || continue
        running=$((running + 1))
        height="$("$bin/gradient" --data "$dir/node$i" --json status | from_json height)" || continue
        [[ -n "$lowest" && "$lowest" -le "$height" ]] || lowest="$height"
    done
    for ((i = 1; i <= nodes; i++)); do
        [[ -n "${pids[i - 1]}" ]] || continue
        id="$("$bin/gradient" --data "$dir/node$i" --json chain show "$lowest" | from_json id)" || continue
        first="${first:-$id}"
        [[ "$id" != "$first" ]] || same=$((same + 1))
    done
}

# Mining goes on meanwhile, so that two nodes may have found a block at the same time: some seconds settle that.
summary() {
    local i
    for ((i = 0; i < 10; i++)); do
        compare_nodes
        [[ "$same" -lt "$running" ]] || break
        sleep 1
    done
    echo "Nodes: $same of $nodes agree on block $lowest, ${first:0:16}; $running are running."
}

trap stop_nodes EXIT
if [[ "$nodes" -eq 1 ]]; then all="the node"; else all="$nodes nodes"; fi
trap 'echo; echo "Stopping $all ..."; stop_nodes; echo "Stopped; the same command goes on from here."; exit 0' INT TERM

for ((n = 1; n <= nodes; n++)); do start_node "$n"; done

if [[ "$nodes" -eq 1 ]]; then
    echo "Node running: data in $dir/node1, log in $dir/node1.log. Ask it: $bin/gradient --data $dir/node1 status"
else
    echo "$nodes nodes running: data in $dir/node1 to node$nodes, logs beside them. Ask one: $bin/gradient --data $dir/node1 peers"
fi
watch=(--data "$dir/node1" watch)
[[ "$blocks" -eq 0 ]] || watch+=(--blocks "$blocks")
# In the background and waited for, so that a signal is handled at once.
"$bin/gradient" "${watch[@]}" &
watcher=$!
died=0
while kill -0 "$watcher" 2>/dev/null; do
    for ((n = 1; n <= nodes; n++)); do
        pid="${pids[n - 1]}"
        if [[ -z "$pid" ]] || kill -0 "$pid" 2>/dev/null; then continue; fi
        wait "$pid" && code=0 || code=$?
        [[ "$n" -ne 1 ]] || node_died 1 "ended" "$code" # the one that is watched
        pids[n - 1]=""
        died=1
        tell_death "$n" "ended"
    done
    sleep 0.2 &
    wait "$!"
done
wait "$watcher" && status=0 || status=$?
watcher=""
if [[ "$status" -eq 5 ]]; then # no answer: the node is perhaps just ending
    for ((i = 0; i < 50; i++)); do
        kill -0 "${pids[0]}" 2>/dev/null || {
            wait "${pids[0]}" && code=0 || code=$?
            node_died 1 "ended" "$code"
        }
        sleep 0.1
    done
fi
[[ "$nodes" -eq 1 || "$status" -ne 0 ]] || summary
stop_nodes
[[ "$died" -eq 0 || "$status" -ne 0 ]] || status=1
exit "$status"
