# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # variables of ./setup, which reads this
#
# A newer QEMU than the machine has: Debian's, in the cache and not installed. qemu10 is that of
# Debian 13, qemu-unstable that of Debian unstable on the day when it is fetched.

readonly -A QEMU_SUITE=([qemu10]=$SUITE [qemu-unstable]=sid)
readonly QEMU_PACKAGES='qemu-system-x86 qemu-system-ppc'
readonly QEMU_PROGRAMS='qemu-system-i386 qemu-system-x86_64 qemu-system-ppc'

# Prints the version of the QEMU program $1; nothing if it does not run.
qemu_version() {
    "$1" --version 2>/dev/null | sed -n 's/^QEMU emulator version \([0-9.]*\).*/\1/p'
}

# True if the machine's own QEMU will do for $1, on each architecture.
own_qemu_will_do() {
    local program version
    if [ "$1" != qemu10 ]; then return 1; fi
    for program in $QEMU_PROGRAMS; do
        version=$(qemu_version "$program") || true
        [ "${version%%.*}" -ge 10 ] 2>/dev/null || return
    done
}

# Downloads QEMU $3 and its dependencies from mirror $1 (keyring $2). On an error sets the caller's
# `failure`.
download_qemu() {
    read_suite deb Packages "$1" "$2" "${QEMU_SUITE[$3]}" || return
    # shellcheck disable=SC2086 # a list of words
    if apt-get -q -y -c "$work/apt/conf" install --download-only --no-install-recommends \
        $QEMU_PACKAGES </dev/null >"$work/log" 2>&1; then return; fi
    failure="cannot get QEMU from $(shown "$1"): $(reason "$work/log")"
    return 1
}

# Creates the program $1. It runs the program of that name in the tree around it with the tree's own
# loader $2 and the libraries in $3.
write_wrapper() {
    cat >"$1" <<EOF
#!/bin/sh
root=\${0%/*}/..
exec "\$root/$2" --library-path "\$root/$3" --argv0 "\$0" "\$root/usr/bin/${1##*/}" "\$@"
EOF
    chmod +x "$1"
}

# Creates the folder $1 from the downloaded packages.
unpack_qemu() {
    local package program loader libraries
    make_stage "$1"
    for package in "$work"/apt/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$stage/tree" >"$work/log" 2>&1 ||
            die "cannot unpack ${package##*/}: $(tail -n1 "$work/log")"
    done
    cd "$stage/tree" || return
    loader=$(find . -type f -name 'ld*.so.[0-9]' | sort | head -n1)
    libraries=$(find . -name libc.so.6 -printf '%h\n' | head -n1)
    # files that QEMU looks for next to the loader, from where it also finds its firmware
    ln -s "$(realpath --relative-to "${loader%/*}" .)" "${loader%/*}/qemu-bundle"
    mkdir -p bin
    for program in $QEMU_PROGRAMS; do
        write_wrapper "bin/$program" "${loader#./}" "${libraries#./}"
        [ -n "$(qemu_version "bin/$program")" ] ||
            die "the fetched $program does not run: $("bin/$program" --version 2>&1 | head -n1)"
    done
    cd /
    mv -T "$stage/tree" "$1" 2>/dev/null || [ -x "$1/bin/$program" ] ||
        die "cannot create $1: remove the existing one"
}

# True once the folder $1 is complete.
qemu_is_there() { [ -x "$1/bin/qemu-system-ppc" ]; }

# $1: qemu10 or qemu-unstable
setup_qemu() {
    local target
    if own_qemu_will_do "$1"; then
        say "ready for $1 (the machine's own)"
        return
    fi
    if ! have dpkg-deb || ! have apt-get; then
        die 'this needs Debian 12 or 13 (no apt-get here): install a newer QEMU by hand'
    fi
    target=$(cache_dir)/$1
    if ! qemu_is_there "$target"; then
        say "fetching Debian ${QEMU_SUITE[$1]}'s QEMU through apt, some 50 MB"
        from_a_mirror 'add one, or install a newer QEMU' download_qemu "$1"
        unpack_qemu "$target"
    fi
    say "ready for $1 ($(qemu_version "$target/bin/qemu-system-ppc"): $target)"
}

print_qemu_path() {
    local target
    if own_qemu_will_do "$1"; then
        printf '%s\n' "$PATH"
        return
    fi
    target=$(cache_dir)/$1
    qemu_is_there "$target" || die "$1 is not installed yet: run ./setup $1"
    printf '%s\n' "$target/bin:$PATH"
}
