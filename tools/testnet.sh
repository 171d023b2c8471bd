#!/usr/bin/env bash
# From nothing to a local network that trains a model on real text.
#
# Usage: tools/testnet.sh [--text FILE ...] [--blocks K] [--dir DIR] [--nodes N] [-- GRADIENTD_OPTION ...]
#
#   --text FILE ...  train on these texts, joined (default: the licence texts of /usr/share/common-licenses)
#   --blocks K       stop after K blocks with a summary (default: run until Ctrl-C)
#   --dir DIR        where the network lives (default: build/testnet of this source tree); an existing one goes on
#   --nodes N        number of nodes (default: 1)
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
[[ "$nodes" =~ ^[1-9][0-9]{0,2}$ ]] || usage_error "--nodes needs a number from 1 on."
[[ "$nodes" -eq 1 ]] || usage_error "networks of several nodes come with the peer-to-peer part, which does not exist yet; use --nodes 1."
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

# In a process group of its own, so that Ctrl-C reaches this script alone, which then stops the node in order.
touch "$dir/start"  # a file of a killed node may lie where the new one will tell its address
set -m
"$bin/gradientd" --data "$dir/node1" --chain "$dir/chain.json" --rpc-port 0 "${node_options[@]}" \
    2>>"$dir/node1.log" &
node=$!
set +m

stop_node() {
    trap - EXIT INT TERM
    [[ -z "${watcher:-}" ]] || kill "$watcher" 2>/dev/null || true
    kill -TERM "$node" 2>/dev/null || true
    wait "$node" 2>/dev/null || true
}
# node_died SENTENCE CODE: ends the script as the node ended, with its last word.
node_died() {
    local code="$2"
    trap - EXIT INT TERM
    [[ -z "${watcher:-}" ]] || kill "$watcher" 2>/dev/null || true
    tail -n 1 "$dir/node1.log" >&2
    echo "testnet: $1; its log is $dir/node1.log." >&2
    exit $((code == 0 ? 1 : code))
}
trap stop_node EXIT
trap 'echo; echo "Stopping the node ..."; stop_node; echo "Stopped; the same command goes on from here."; exit 0' INT TERM

for ((i = 0; i < 600; i++)); do
    [[ "$dir/node1/rpc_endpoint" -nt "$dir/start" ]] && break
    kill -0 "$node" 2>/dev/null || {
        wait "$node" && code=0 || code=$?
        node_died "the node did not start" "$code"
    }
    sleep 0.1
done
[[ "$dir/node1/rpc_endpoint" -nt "$dir/start" ]] || {
    echo "testnet: the node did not tell its address within 60 s; its log is $dir/node1.log." >&2
    exit 5
}

echo "Node running: data in $dir/node1, log in $dir/node1.log. Ask it: $bin/gradient --data $dir/node1 status"
watch=(--data "$dir/node1" watch)
[[ "$blocks" -eq 0 ]] || watch+=(--blocks "$blocks")
# In the background and waited for, so that a signal is handled at once.
"$bin/gradient" "${watch[@]}" &
watcher=$!
status=0
wait -n -p ended "$watcher" "$node" || status=$?
[[ "$ended" != "$node" ]] || node_died "the node ended" "$status"
watcher=""
if [[ "$status" -eq 5 ]]; then  # no answer: the node is perhaps just ending
    for ((i = 0; i < 50; i++)); do
        kill -0 "$node" 2>/dev/null || {
            wait "$node" && code=0 || code=$?
            node_died "the node ended" "$code"
        }
        sleep 0.1
    done
fi
stop_node
exit "$status"
