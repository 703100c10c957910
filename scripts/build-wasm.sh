#!/usr/bin/env bash
# Builds the crate into pkg/wasm: `tidegate` (the gateway with chat completions: what the first answer needs) with
# `tidegate-rest` (what else it needs), `tidegate-dialects` and `tidegate-dialects-rest` (the same with every dialect),
# `tidegate-all` (with what many callers and a queue need, too, whole), `tidegate-server` (the same, built for speed: Node
# and Workers) and `kdf` (Argon2 alone, loaded to unlock).
# Does nothing when no source has changed since the last build.
#
# TIDEGATE_WASM=quick builds for trying things out: hardly optimised, twice the size, in a quarter of the time.
# TIDEGATE_WASM=whole builds `tidegate` alone, as it is before it is cut in two, into target/wasm-whole: for measuring.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"

OUT=pkg/wasm
STAGE=target/wasm-stage
STAMP=target/wasm.stamp

# The standard library is built anew, for size and with panics that stop without a word: a quarter of the Wasm after
# brotli would be words for panics that do not happen, and what prints them. Cargo and rustc call these options
# unstable, so the variable RUSTC_BOOTSTRAP asks for them; where they or the library's sources (rust-src) are not to be
# had, the library that came with rustc serves.
SMALL_FLAGS=(-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Csymbol-mangling-version=legacy)
FAST_STD=(-Z "build-std=std,panic_abort")
SMALL_STD=("${FAST_STD[@]}" -Z build-std-features=optimize_for_size)
# At opt-level "z" neither rustc nor LLVM inlines where a body is larger than its call: brotli knows bodies that are there
# twice, and each function less saves its head, its type and its number. Measured at 0, 5 (as it is), 15, 25 and 50.
SMALL_INLINED=(-Zinline-mir=yes -Cllvm-args=--inline-threshold=25)

# Adds flags for rustc. Between them cargo takes the character 31, since a folder's name may have a space.
more_flags() { # more_flags FLAG…
  local IFS=$'\x1f'
  export CARGO_ENCODED_RUSTFLAGS="${CARGO_ENCODED_RUSTFLAGS:+$CARGO_ENCODED_RUSTFLAGS$IFS}$*"
}

# All that rustc allows for this target but bulk memory: then copies are made by src/copies.rs, and short ones in place. Where
# rustc's own standard library goes in, that brings bulk memory back for all.
COPYING=(-C target-cpu=mvp -C target-feature=+simd128,+multivalue,+mutable-globals,+nontrapping-fptoint,+reference-types,+sign-ext)

small_std() {
  [ -d "$(rustc --print sysroot)/lib/rustlib/src/rust/library" ] || return 1
  RUSTC_BOOTSTRAP=1 rustc "${SMALL_FLAGS[@]}" --print cfg --target wasm32-unknown-unknown >/dev/null 2>&1 || return 1
  # The library has dependencies of its own.
  RUSTC_BOOTSTRAP=1 cargo fetch --quiet "${SMALL_STD[@]}" --target wasm32-unknown-unknown 2>/dev/null
}

built() {
  local name
  for name in tidegate tidegate-dialects tidegate-all tidegate-server kdf; do
    if [ ! -s "$OUT/$name.js" ] || [ ! -s "$OUT/${name}_bg.wasm" ]; then return 1; fi
  done
  for name in tidegate-rest tidegate-dialects-rest; do
    if [ ! -s "$OUT/$name.js" ] || [ ! -s "$OUT/${name}_bg.wasm" ]; then return 1; fi
  done
  [ "$(cat "$STAMP" 2>/dev/null)" = "$SOURCES" ]
}

# A folder for each, since wasm-pack lets wasm-opt at every Wasm that it finds in its folder: the gateway's would be
# optimised again as the KDF's is, and be 2.5 KB larger after brotli.
# --no-pack and --no-gitignore: with wasm-pack's own package.json and .gitignore, npm would leave the Wasm out.
variant() { # variant NAME PROFILE TARGET CARGO-OPTION… (profiles of wasm-pack: what wasm-opt does, see Cargo.toml)
  local name="$1" profile="$2" target="$3" started="$SECONDS"
  shift 3
  say "building $name.wasm (2 to 5 min the first time)"
  # shellcheck disable=SC2086 # the profile may be two words
  wasm-pack --log-level error build --mode no-install --target "$target" --$profile --no-pack --no-gitignore \
    ${QUICK[@]+"${QUICK[@]}"} \
    --out-dir "$STAGE/$name" --out-name "$name" . -- ${STD[@]+"${STD[@]}"} "$@" \
    2> >(grep -v 'linking section is present' >&2) # wasm-opt, of what `unlinked` takes out
  unlinked "$STAGE/$name/${name}_bg.wasm"
  imported_once "$STAGE/$name/$name.js"
  undisposed "$STAGE/$name/$name.d.ts"
  say "built $name.wasm in $((SECONDS - started)) s: $(sizes "$STAGE/$name/${name}_bg.wasm")"
}

# wasm-bindgen names a module of ours once for each function that needs no glue; bundlers warn of keys that come twice.
imported_once() {
  awk '/^ +"\.\/snippets\// && seen[$1]++ { next } { print }' "$1" >"$1.new"
  mv "$1.new" "$1"
}

# Nobody's `using` reaches the glue's classes, and a compiler whose `lib` is older than the method refuses the package's types.
undisposed() {
  awk '!/\[Symbol\.dispose\]\(\): void;/' "$1" >"$1.new"
  mv "$1.new" "$1"
}

# What the linker told of addresses (see split-data.mjs) was true before the Wasm was optimised.
unlinked() {
  node --input-type=module - "$1" <<'UNLINKED'
    import { readFileSync, writeFileSync } from 'node:fs';
    import { Reader } from './scripts/wasm-module.mjs';
    const [path] = process.argv.slice(2);
    const reader = new Reader(readFileSync(path), 8);
    const kept = [reader.bytes.subarray(0, 8)];
    while (reader.at < reader.bytes.length) {
      const start = reader.at;
      const id = reader.byte();
      const end = reader.u32() + reader.at;
      if (id !== 0 || !/^(linking|reloc\.)/.test(reader.name())) kept.push(reader.bytes.subarray(start, end));
      reader.at = end;
    }
    writeFileSync(path, Buffer.concat(kept));
UNLINKED
}

sizes() {
  node --input-type=module - "$1" <<'SIZES'
    import { readFileSync } from 'node:fs';
    import { brotliCompressSync, gzipSync } from 'node:zlib';
    const [path] = process.argv.slice(2);
    const wasm = readFileSync(path);
    if (!WebAssembly.validate(wasm)) throw new Error(`${path} is not a valid module`);
    console.log(`${wasm.length} bytes, ${gzipSync(wasm).length} gzip, ${brotliCompressSync(wasm).length} brotli`);
SIZES
}

# wasm-opt for a finished module, where it lies.
optimised() { # optimised PATH PASS…
  local path="$1" feature features=()
  shift
  for feature in simd bulk-memory bulk-memory-opt reference-types multivalue sign-ext nontrapping-float-to-int \
    mutable-globals; do
    features+=("--enable-$feature")
  done
  node_modules/.bin/wasm-opt "${features[@]}" "$@" "$path" -o "$path"
}

# Drops names, and what nobody needs any more.
unnamed() { optimised "$1" --remove-unused-module-elements; }

# What Node and Workers load is read from a disk before the first request: there time counts, bytes hardly do. Beside the
# others, in a folder of its own, since it takes longer than each of them and cargo locks its folder.
server() {
  local wasm="$STAGE/tidegate-server/tidegate-server_bg.wasm"
  if [ "${#STD[@]}" -gt 0 ]; then STD=("${FAST_STD[@]}"); fi
  QUICK=(--no-opt)
  more_flags "${COPYING[@]}"
  CARGO_TARGET_DIR=target/speed variant tidegate-server "profile speed" web --features speed
  optimised "$wasm" -O3
  say "optimised tidegate-server.wasm: $(sizes "$wasm")"
}

# The same features built once are enough for trying things out.
server_quick() {
  local folder="$STAGE/tidegate-server" file
  cp -R "$STAGE/tidegate-all" "$folder"
  for file in "$folder"/tidegate-all*; do mv "$file" "${file/tidegate-all/tidegate-server}"; done
  # Only the address: what the module imports has the name that it was built by.
  sed 's/tidegate-all_bg\.wasm/tidegate-server_bg.wasm/g' "$folder/tidegate-server.js" >"$folder/new"
  mv "$folder/new" "$folder/tidegate-server.js"
}

# Cuts a build in two (see split-outline.mjs, split-data.mjs and split-wasm.mjs). Built otherwise than it ships,
# functions may be where they are not looked for: then it says so, and more loads first.
split() { # split NAME
  local name="$1" folder="$STAGE/$1"
  local whole="$folder/${name}_bg.wasm" rest="$folder/$name-rest"
  if [ "${#QUICK[@]}" -eq 0 ]; then
    node scripts/split-outline.mjs "$whole" "$folder/$name.js"
    # What was taken out must stay out. Nothing lies where null would point: the stack comes first.
    optimised "$whole" --debuginfo --low-memory-unused --generate-global-effects -Oz \
      --{always,flexible,one-caller}-inline-max-function-size=0 --reorder-functions-by-name
  fi
  node scripts/split-wasm.mjs "$whole" "$STAGE/first.wasm" "$STAGE/rest.wasm" "$folder/$name.js" "$rest.js" \
    "${CARGO_TARGET_DIR:-target}/wasm32-unknown-unknown/release/tidegate.wasm"
  unnamed "$STAGE/first.wasm"
  unnamed "$STAGE/rest.wasm"
  mv "$STAGE/first.wasm" "$whole"
  mv "$STAGE/rest.wasm" "${rest}_bg.wasm"
  {
    echo 'export function imports(): WebAssembly.Imports;'
    echo 'export function onMissing(load: () => void): void;'
    echo 'export function joined(rest: WebAssembly.Instance): void;'
    echo "export function completed(rest: typeof import('./$name-rest.js')): void;"
  } >>"$folder/$name.d.ts"
  echo 'export function joinedTo(exports: WebAssembly.Exports, build: string): WebAssembly.ModuleImports;' >"$rest.d.ts"
  say "split $name.wasm: first $(sizes "$whole"); rest $(sizes "${rest}_bg.wasm")"
}

STD=()
QUICK=()
if [ "${TIDEGATE_WASM:-}" = quick ]; then
  QUICK=(--no-opt)
  export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1
elif small_std; then
  STD=("${SMALL_STD[@]}")
else
  say "rustc's own standard library goes into the Wasm, which grows by a fifth (scripts/setup.sh wasm fetches rust-src)"
fi
# The first number says whether it was built for trying things out: tests/isolation and pkg/test go by it.
SOURCES="${#QUICK[@]} ${#STD[@]} $(rustc --version) $(hash_of Cargo.toml Cargo.lock .cargo/config.toml scripts/build-wasm.sh scripts/split-*.mjs scripts/wasm-module.mjs pkg/kdf.d.ts src)"
if [ "${TIDEGATE_WASM:-}" != whole ] && built; then
  say "the Wasm is up to date"
  exit 0
fi

# Panics name their source files: neither the paths of the machine that builds nor their bytes belong into the Wasm.
# These replace the flags of .cargo/config.toml, so they are repeated.
# --table-base: split-wasm.mjs tells by it which constants are places in the table.
unset CARGO_ENCODED_RUSTFLAGS
more_flags -C target-feature=+simd128 -C link-arg=--table-base=5003 \
  "--remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=" "--remap-path-prefix=$PWD="
if [ "${#STD[@]}" -gt 0 ]; then
  export RUSTC_BOOTSTRAP=1
  more_flags "${SMALL_FLAGS[@]}"
fi

# Without a wasm-opt wasm-pack goes on, with an older one the module may load nowhere.
[ -x node_modules/.bin/wasm-opt ] || die "no wasm-opt in node_modules: run scripts/setup.sh wasm"
rm -rf "$STAGE"
mkdir -p target
if [ "${TIDEGATE_WASM:-}" = whole ]; then
  variant tidegate release web --no-default-features --features gateway
  rm -rf target/wasm-whole
  mv "$STAGE/tidegate" target/wasm-whole
  exit 0
fi
SERVER=
if [ "${#QUICK[@]}" -eq 0 ]; then
  server &
  SERVER=$!
fi
# The others are built for speed, or hang on Argon2's: these alone are inlined as is best for their size.
# --emit-relocs: split-data.mjs tells by it whose the data is.
(
  more_flags -C link-arg=--emit-relocs
  if [ "${#STD[@]}" -gt 0 ]; then more_flags "${SMALL_INLINED[@]}"; fi
  variant tidegate release web --no-default-features --features gateway
  split tidegate
  variant tidegate-dialects release web --no-default-features --features gateway,dialects
  split tidegate-dialects
  variant tidegate-all release web
  unnamed "$STAGE/tidegate-all/tidegate-all_bg.wasm"
)
variant kdf profiling no-modules --no-default-features --features kdf
if [ -n "$SERVER" ]; then wait "$SERVER"; else server_quick; fi
# Generated modules keep their instance for ever; the KDF's must be thrown away. So its glue becomes a factory.
{
  echo 'export default function instantiate() {'
  cat "$STAGE/kdf/kdf.js"
  echo 'return wasm_bindgen;'
  echo '}'
} >"$STAGE/kdf/kdf.factory.js"
mv "$STAGE/kdf/kdf.factory.js" "$STAGE/kdf/kdf.js"
cp pkg/kdf.d.ts "$STAGE/kdf/kdf.d.ts"
# Only now replace what was there: a failed build leaves the last good one.
rm -rf "$OUT"
for name in tidegate-dialects tidegate-all tidegate-server kdf; do cp -R "$STAGE/$name/." "$STAGE/tidegate/"; done
mv "$STAGE/tidegate" "$OUT"
rm -rf "$STAGE"
printf '%s\n' "$SOURCES" >"$STAMP"
