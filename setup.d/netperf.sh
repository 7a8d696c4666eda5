# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # variables of ./setup, which reads this
#
# netperf, the client that tests/system/test_netperf.py runs. Debian 12 has it only among what is not
# free, so that it is Debian 13's, with its own C library, in the cache and not installed; unless the
# machine has one.

# Where it is kept, as $1/bin/netperf.
netperf_dir() { printf '%s\n' "$(cache_dir)/netperf"; }

# Downloads it and all that it needs from mirror $1 (keyring $2), or says in the
# caller's `failure` why not.
download_netperf() {
    read_suite deb Packages "$@" || return
    if apt-get -q -y -c "$work/apt/conf" install --download-only --no-install-recommends \
        netperf </dev/null >"$work/log" 2>&1; then return; fi
    failure="cannot get netperf from $(shown "$1"): $(reason "$work/log")"
    return 1
}

# Makes the folder $1 of the downloaded packages.
unpack_netperf() {
    local package loader libraries
    make_stage "$1"
    for package in "$work"/apt/cache/archives/{netperf,libc6}_*.deb; do
        dpkg-deb -x "$package" "$stage/tree" >"$work/log" 2>&1 ||
            die "cannot unpack ${package##*/}: $(tail -n1 "$work/log")"
    done
    cd "$stage/tree" || return
    loader=$(find . -type f -name 'ld*.so.[0-9]' | sort | head -n1)
    libraries=$(find . -name libc.so.6 -printf '%h\n' | head -n1)
    mkdir -p bin
    write_wrapper bin/netperf "${loader#./}" "${libraries#./}"
    bin/netperf -V >"$work/log" 2>&1 ||
        die "the fetched netperf does not run: $(tail -n1 "$work/log")"
    cd /
    mv -T "$stage/tree" "$1" 2>/dev/null || [ -x "$1/bin/netperf" ] ||
        die "cannot create $1: remove the existing one"
}

# Without it some tests are skipped, so that nothing here ends ./setup.
setup_netperf() {
    local target
    target=$(netperf_dir)
    if have netperf || [ -x "$target/bin/netperf" ]; then return; fi
    say "fetching Debian $SUITE's netperf through apt"
    make_work
    (
        trap 'rm -rf -- "$stage"' EXIT
        from_a_mirror 'add one, or install netperf' download_netperf
        unpack_netperf "$target"
    ) || say 'without netperf its tests are skipped'
}

print_netperf() {
    local target
    target=$(netperf_dir)
    if have netperf; then
        command -v netperf
    elif [ -x "$target/bin/netperf" ]; then
        printf '%s\n' "$target/bin/netperf"
    else
        die 'netperf is not installed yet: run ./setup'
    fi
}
