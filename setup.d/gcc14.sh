# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # variables of ./setup, which reads this
#
# gcc 14 for i386 and PowerPC, Debian 13's cross compilers: unpacked into the cache and not
# installed. They need a newer C library than Debian 12's, so that each program is run by the
# loader that comes with them.

readonly GCC14_PACKAGES='gcc-i686-linux-gnu gcc-powerpc-linux-gnu'

# True if the machine's own compilers are gcc 14.
own_gcc_is_14() {
    local package
    for package in $GCC14_PACKAGES; do
        [ "$("${package#gcc-}-gcc" -dumpversion 2>/dev/null)" = 14 ] || return
    done
}

# True once the folder $1 is complete.
gcc14_is_there() { [ -x "$1/usr/bin/powerpc-linux-gnu-gcc" ]; }

# Downloads the compilers and what they need from mirror $1 (keyring $2). On an error sets the
# caller's `failure`.
download_gcc14() {
    read_suite deb Packages "$@" || return
    # shellcheck disable=SC2086 # a list of words
    if apt-get -q -y -c "$work/apt/conf" install --download-only --no-install-recommends \
        $GCC14_PACKAGES </dev/null >"$work/log" 2>&1; then return; fi
    failure="cannot get gcc 14 from $(shown "$1"): $(reason "$work/log")"
    return 1
}

# Moves the program $1 of the tree to $1.elf. In its place comes a script that runs it by the loader
# $2 with the libraries in $3. A compiler finds its parts from its own path, argv[0].
wrap_gcc14() {
    mv "$1" "$1.elf"
    cat >"$1" <<EOF
#!/bin/sh
program=\$(readlink -f "\$0")
root=\${program%/*}/$(realpath --relative-to "${1%/*}" .)
exec "\$root/$2" --library-path "\$root/$3" --argv0 "\$0" "\$program.elf" "\$@"
EOF
    chmod +x "$1"
}

# Creates the folder $1 from the downloaded packages.
unpack_gcc14() {
    local package program loader libraries
    make_stage "$1"
    for package in "$work"/apt/cache/archives/*.deb; do
        dpkg-deb -x "$package" "$stage/tree" >"$work/log" 2>&1 ||
            die "cannot unpack ${package##*/}: $(tail -n1 "$work/log")"
    done
    cd "$stage/tree"
    loader=$(find . -type f -name 'ld*.so.[0-9]' -path './usr/lib/*' | sort | head -n1)
    libraries=${loader%/*}
    find usr/bin usr/libexec -type f -perm /111 ! -name '*.so*' >"$work/programs"
    while read -r program; do
        if [ "$(head -c4 "$program")" = $'\x7fELF' ]; then
            wrap_gcc14 "$program" "${loader#./}" "${libraries#./}"
        fi
    done <"$work/programs"
    printf 'unsigned long long a, b; void _start(void) { a /= b; }\n' >"$work/try.c"
    for package in $GCC14_PACKAGES; do
        PATH=$PWD/usr/bin:$PATH "${package#gcc-}-gcc" -O2 -flto -ffreestanding -nostdlib -static \
            -o "$work/try" "$work/try.c" -lgcc >"$work/log" 2>&1 ||
            die "the fetched ${package#gcc-}-gcc does not work: $(tail -n1 "$work/log")"
    done
    cd /
    mv -T "$stage/tree" "$1" 2>/dev/null || gcc14_is_there "$1" ||
        die "cannot create $1: remove the existing one"
}

setup_gcc14() {
    local target
    if own_gcc_is_14; then
        say "ready for gcc14 (the machine's own)"
        return
    fi
    if ! have dpkg-deb || ! have apt-get; then
        die 'this needs Debian 12 or 13 (no apt-get here)'
    fi
    target=$(cache_dir)/gcc14
    if ! gcc14_is_there "$target"; then
        say "fetching Debian $SUITE's cross compilers through apt, some 90 MB"
        from_a_mirror 'add one' download_gcc14
        unpack_gcc14 "$target"
    fi
    say "ready for gcc14 ($target)"
}

# Prints the PATH that finds the compilers.
print_gcc14_path() {
    local target
    if own_gcc_is_14; then
        printf '%s\n' "$PATH"
        return
    fi
    target=$(cache_dir)/gcc14
    gcc14_is_there "$target" || die 'gcc 14 is not installed yet: run ./setup gcc14'
    printf '%s\n' "$target/usr/bin:$PATH"
}
