# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2034,SC2154 # variables of ./setup, which reads this
#
# Cross compilers for no operating system: i686-elf and powerpc-eabi. Debian has no such packages, but
# it packages the sources of gcc and binutils. They are built into the cache and not installed.

readonly TOOLCHAINS='i686-elf powerpc-eabi'
readonly TOOLCHAIN_SUITE=bookworm
readonly TOOLCHAIN_SOURCES='binutils-source=2.40-2 gcc-12-source=12.2.0-14+deb12u1'
readonly TOOLCHAIN_SUMS='4c03b0d0508f8134200ec083e4dbb81b906efbfa0d7a2bdb7aa0c120aabda246  binutils-source_2.40-2_all.deb
8f2a5411028dfe216aeb6346b926df0cc7471f375c6a375bf180fbf279af02a1  gcc-12-source_12.2.0-14+deb12u1_all.deb'
# The parts of the packages that are unpacked: those needed for C on these targets.
readonly TOOLCHAIN_TARBALLS='binutils-2.40.tar.xz gcc-12.2.0-dfsg.tar.xz'
readonly TOOLCHAIN_UNUSED='gcc/testsuite/g*.* gcc/ada libstdc++-v3 libgo libphobos libgfortran libsanitizer'
readonly TOOLCHAIN_PACKAGES='g++ make libc6-dev libgmp-dev libmpfr-dev libmpc-dev zlib1g-dev dpkg-dev xz-utils'

# The folder of the toolchain for $1; the compiler is bin/$1-gcc.
toolchain_dir() { printf '%s\n' "$(cache_dir)/gcc-12.2.0-$1"; }

# True once the folder $2 of the toolchain for $1 is complete.
toolchain_is_there() { [ -x "$2/bin/$1-gcc" ]; }

# Downloads the sources from mirror $1 (keyring $2) into $work/toolchains. On an error sets the
# caller's `failure`.
download_toolchains() {
    read_suite deb Packages "$1" "$2" "$TOOLCHAIN_SUITE" || return
    mkdir -p "$work/toolchains"
    cd "$work/toolchains" || return
    # shellcheck disable=SC2086 # a list of words
    if ! apt-get -q -c "$work/apt/conf" download $TOOLCHAIN_SOURCES >"$work/log" 2>&1; then
        failure="cannot get $TOOLCHAIN_SOURCES from $(shown "$1"): $(reason "$work/log")"
    elif ! sha256sum --quiet --check <<<"$TOOLCHAIN_SUMS" >"$work/log" 2>&1; then
        failure="$TOOLCHAIN_SOURCES from $(shown "$1") fails its SHA-256 check: $(reason "$work/log")"
    else
        return 0
    fi
    return 1
}

# Unpacks the sources into $stage/binutils-2.40 and $stage/gcc-12.2.0-dfsg.
unpack_toolchains() {
    local package tarball
    for package in "$work"/toolchains/*.deb; do
        dpkg-deb -x "$package" "$stage/packages" >"$work/log" 2>&1 ||
            die "cannot unpack ${package##*/}: $(tail -n1 "$work/log")"
    done
    for tarball in $TOOLCHAIN_TARBALLS; do
        mkdir "$stage/${tarball%.tar.xz}"
        # shellcheck disable=SC2046,SC2086 # lists of words
        tar -xf "$stage"/packages/usr/src/*/"$tarball" -C "$stage/${tarball%.tar.xz}" \
            --strip-components=1 $(printf ' --exclude=*/%s' $TOOLCHAIN_UNUSED) >"$work/log" 2>&1 ||
            die "cannot unpack $tarball: $(tail -n1 "$work/log")"
    done
    rm -rf -- "$stage/packages"
}

# Prints the first error in the log $1 of a build, or its last line.
build_error() {
    { grep -E ': error: |^make.*\*\*\* |No space left' "$1" || tail -n1 "$1"; } | grep -v -m1 ' (ignored)$'
}

# Runs make with the arguments "$@" in folder $1 of the build. Documentation is not built, since
# Debian's gcc sources lack it. libgcc is built without debug information, which would contain the
# folder's name. Options and variables of the calling `make toolchains` are not passed on.
toolchain_make() {
    nice env -u MAKEFLAGS -u MFLAGS -u MAKEOVERRIDES make -C "$1" -j"$(nproc)" MAKEINFO=true CFLAGS=-O1 CXXFLAGS=-O1 LIBGCC2_DEBUG_CFLAGS=-g0 \
        "${@:2}"
}

# Builds binutils for $1 into $stage/$1.
build_binutils() {
    local build=$stage/binutils-$1
    mkdir -p "$build"
    (cd "$build" && ../binutils-2.40/configure --target="$1" --prefix="$stage/$1" --disable-nls \
        --disable-werror --disable-gdb --disable-gprof --disable-gprofng --disable-sim \
        --with-system-zlib CFLAGS=-O1 CXXFLAGS=-O1) &&
        toolchain_make "$build" all-binutils all-gas all-ld &&
        toolchain_make "$build" -j1 install-binutils install-gas install-ld
}

# Builds gcc for $1 into $stage/$1, which contains its binutils. `make install-gcc` would require
# the documentation, so the parts are installed one by one.
build_gcc() {
    local build=$stage/gcc-$1
    mkdir -p "$build"
    (cd "$build" && ../gcc-12.2.0-dfsg/configure --target="$1" --prefix="$stage/$1" \
        --enable-languages=c --without-headers --with-newlib --with-system-zlib --disable-nls \
        --disable-bootstrap --disable-multilib --disable-shared --disable-threads --disable-gcov \
        --disable-libatomic --disable-libgomp --disable-libquadmath --disable-libssp \
        CFLAGS=-O1 CXXFLAGS=-O1) &&
        toolchain_make "$build" all-gcc &&
        toolchain_make "$build/gcc" -j1 install-common install-headers install-driver \
            install-lto-wrapper install-gcc-ar &&
        toolchain_make "$build" -j1 install-lto-plugin &&
        toolchain_make "$build" all-target-libgcc &&
        toolchain_make "$build" -j1 install-target-libgcc
}

# True if the toolchain for $1 in folder $2 compiles a program and links it, with LTO and its
# libgcc.
toolchain_works() {
    printf 'unsigned long long a, b; void _start(void) { a /= b; }\n' >"$work/try.c" &&
        "$2/bin/$1-gcc" -O2 -flto -ffreestanding -nostdlib -o "$work/try" "$work/try.c" -lgcc &&
        "$2/bin/$1-size" "$work/try"
}

# Builds the toolchain for $1. It is moved to the folder $2 when it works.
build_toolchain() {
    local log part
    log=$(cache_dir)/toolchain-$1.log
    : >"$log"
    for part in build_binutils build_gcc; do
        say "building ${part#build_} for $1"
        (PATH=$stage/$1/bin:$PATH && $part "$1") >>"$log" 2>&1 </dev/null ||
            die "cannot build ${part#build_} for $1: $(build_error "$log") (all of it: $log)"
    done
    toolchain_works "$1" "$stage/$1" >>"$log" 2>&1 ||
        die "the compiler that was built for $1 does not work: $(tail -n1 "$log") (all of it: $log)"
    mv -T "$stage/$1" "$2" 2>/dev/null || toolchain_is_there "$1" "$2" ||
        die "cannot create $2: remove the existing one"
    rm -rf -- "$stage/binutils-$1" "$stage/gcc-$1"
}

setup_toolchains() {
    local target folder absent=()
    for target in $TOOLCHAINS; do
        folder=$(toolchain_dir "$target")
        if ! toolchain_is_there "$target" "$folder"; then absent+=("$target"); fi
    done
    if [ "${#absent[@]}" -gt 0 ]; then
        if ! have dpkg-query || ! have apt-get; then
            die 'this needs Debian 12 or 13 (no apt-get here)'
        fi
        # shellcheck disable=SC2086 # a list of words
        find_missing $TOOLCHAIN_PACKAGES
        if [ "${#missing[@]}" -gt 0 ]; then install_packages "${missing[@]}"; fi
        say "fetching ${TOOLCHAIN_SOURCES// / and } through apt, some 107 MB"
        from_a_mirror 'add one' download_toolchains
        make_stage "$folder"
        unpack_toolchains
        say "building takes some ten minutes for each of: ${absent[*]} (2 GB of disk meanwhile)"
        for target in "${absent[@]}"; do
            build_toolchain "$target" "$(toolchain_dir "$target")"
        done
    fi
    say "ready for toolchains ($(print_toolchains_path))"
}

# Prints the folders of the toolchains' programs, in the form of PATH.
print_toolchains_path() {
    local target folder path=
    for target in $TOOLCHAINS; do
        folder=$(toolchain_dir "$target")
        toolchain_is_there "$target" "$folder" ||
            die 'the toolchains are not installed yet: run ./setup toolchains'
        path=${path:+$path:}$folder/bin
    done
    printf '%s\n' "$path"
}
