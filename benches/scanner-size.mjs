// Bench `scanner-raw-kb`: what the detector adds to the small Wasm, before it is cut in two and before compression. The
// sources are built as they are, then without: the table of kinds empty, and what looks through a text left out. Whatever
// is there for its sake alone counts, also of the standard library. Row `scanner`: what finds; what uses findings stays,
// since the compiler is made to believe that there may be some. Row `with-redaction`: without those uses, too.
//   node benches/run.mjs --only scanner-raw-kb
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Reader } from '../scripts/wasm-module.mjs';

const TREE = 'target/scanner-size';
const SOURCES = ['.cargo', 'Cargo.lock', 'Cargo.toml', 'examples', 'scripts', 'src'];
/** Where a text comes in, and the table. Each must be met once, else the comparison would be of nothing. */
const ENTRIES = [
  ['src/detect/scanner.rs', /(\n {4}pub fn push\(&mut self[^{]*\{).*?(\n {4}\}\n)/su],
  ['src/detect/scanner.rs', /(\n {4}pub fn finish_with\(&mut self[^{]*\{).*?(\n {4}\}\n)/su],
  ['src/detect/scanner.rs', /(\npub fn scan\(text[^{]*\{).*?(\n\}\n)/su],
];
const TABLE = ['src/keys/rule.rs', /(\npub static RULES: )LazyLock<Vec<Rule>> = LazyLock::new\(rules\)(;\n)/su];
const SOME_FINDING = 'if let Some(finding) = std::hint::black_box(None::<Finding>) { sink(finding); }';

function leaveOut([path, place], instead) {
  const file = join(TREE, path);
  const text = readFileSync(file, 'utf8');
  if (text.split(place).length !== 4) throw new Error(`${path} should have once: ${place}`);
  writeFileSync(file, text.replace(place, `$1${instead}$2`));
}

function copySources() {
  for (const path of SOURCES) {
    rmSync(join(TREE, path), { recursive: true, force: true });
    cpSync(path, join(TREE, path), { recursive: true });
  }
}

/** The bytes of the Wasm, by sections; names do not count, since they do not ship. */
function built() {
  const env = { ...process.env, TIDEGATE_WASM: 'whole' };
  execFileSync('scripts/build-wasm.sh', { cwd: TREE, env, stdio: ['ignore', 'ignore', 'inherit'] });
  const bytes = readFileSync(join(TREE, 'target/wasm-whole/tidegate_bg.wasm'));
  const sizes = { functions: 0, data: 0, all: 8 };
  for (const reader = new Reader(bytes, 8); reader.at < bytes.length;) {
    const start = reader.at;
    const section = reader.byte();
    reader.take(reader.u32());
    if (section === 0) continue;
    const length = reader.at - start;
    sizes.all += length;
    if (section === 10) sizes.functions = length;
    if (section === 11) sizes.data = length;
  }
  return sizes;
}

/** Measures the named rows. A size has one round, for a build always gives the same bytes. */
export function scannerSize(names) {
  mkdirSync(TREE, { recursive: true });
  rmSync(join(TREE, 'node_modules'), { force: true });
  symlinkSync(resolve('node_modules'), join(TREE, 'node_modules'));
  copySources();
  const whole = built();
  const [rows, remarks] = [[], []];
  for (const row of names) {
    copySources();
    for (const entry of ENTRIES) leaveOut(entry, row === 'scanner' ? SOME_FINDING : '');
    leaveOut(TABLE, '[Rule; 0] = []');
    const without = built();
    const kb = (part) => (whole[part] - without[part]) / 1000;
    rows.push({
      bench: 'scanner-raw-kb',
      row,
      unit: 'KB',
      median: kb('all'),
      min: kb('all'),
      max: kb('all'),
      rounds: 1,
    });
    remarks.push(`scanner-raw-kb, ${row}: ${kb('functions')} KB of functions, ${kb('data')} KB of data`);
  }
  return { rows, remarks };
}
