// The reports for machines: JSON, SARIF 2.1.0, the commands of GitHub's log.

import { failing, inOrder, placeOf, type Located } from '../audit/located.js';
import { titleOf, type Report } from './report.js';

export function jsonReport({ findings, summary, notes, failOn, version }: Report): string {
  const failed = findings.filter((finding) => failing(finding, failOn)).length;
  return `${JSON.stringify({ version: 1, tool: `tidegate ${version}`, failOn, failed, findings, summary, notes }, null, 2)}\n`;
}

const COMMANDS = { secret: 'error', ambiguous: 'warning', publishable: 'notice' } as const;

/** https://docs.github.com/actions/reference/workflow-commands-for-github-actions */
export function githubReport({ findings, notes }: Report): string {
  const data = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string | number) => data(`${text}`).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const command = (name: string, properties: Record<string, string | number>, message: string) =>
    `::${name} ${Object.entries(properties)
      .map(([key, value]) => `${key}=${property(value)}`)
      .join(',')}::${data(message)}\n`;
  const open = findings.filter(({ pardon }) => !pardon);
  const lines = open.map((finding) => {
    const { path, line, column } = finding;
    return command(
      COMMANDS[finding.class],
      { file: path, line, col: column, title: titleOf(finding) },
      message(finding),
    );
  });
  return [...lines, ...notes.map((note) => command('warning', { title: 'tidegate scan' }, note))].join('');
}

const message = ({ preview, advice, source, commit, note }: Located): string =>
  [
    preview,
    source ? `from ${placeOf(source)}` : '',
    commit === undefined ? '' : `in commit ${commit.slice(0, 10)}`,
    note ?? '',
    advice,
  ]
    .filter((part) => part !== '')
    .join(' · ');

const LEVELS = { secret: 'error', ambiguous: 'warning', publishable: 'note' } as const;
/** GitHub reads it as CVSS: above 9 critical, above 7 high. */
const SEVERITIES = { critical: '9.5', high: '8.0', medium: '5.5', low: '3.0', info: '1.0' } as const;

/** https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
export function sarifReport({ findings, notes, version }: Report): string {
  const rules = [...new Map(inOrder(findings).map((finding) => [finding.rule, finding])).values()];
  const index = new Map(rules.map(({ rule }, at) => [rule, at]));
  const run = {
    tool: {
      driver: {
        name: 'tidegate',
        semanticVersion: version,
        rules: rules.map((one) => ({
          id: one.rule,
          shortDescription: { text: titleOf(one) },
          help: { text: one.advice },
          ...(one.docs ? { helpUri: one.docs } : {}),
          defaultConfiguration: { level: LEVELS[one.class] },
          properties: { tags: ['security', 'secret'], 'security-severity': SEVERITIES[one.severity] },
        })),
      },
    },
    columnKind: 'utf16CodeUnits',
    invocations: [
      {
        executionSuccessful: true,
        toolExecutionNotifications: notes.map((text) => ({ level: 'warning', message: { text } })),
      },
    ],
    results: findings.map((finding) => sarifResult(finding, index.get(finding.rule) ?? 0)),
  };
  const schema = 'https://json.schemastore.org/sarif-2.1.0.json';
  return `${JSON.stringify({ $schema: schema, version: '2.1.0', runs: [run] }, null, 2)}\n`;
}

function sarifResult(finding: Located, ruleIndex: number) {
  const { rule, path, line, column, source, commit, pardon, fingerprint } = finding;
  return {
    ruleId: rule,
    ruleIndex,
    level: LEVELS[finding.class],
    message: { text: message(finding) },
    locations: [location(path, line, column)],
    ...(source ? { relatedLocations: [location(source.path, source.line, source.column, 'The source')] } : {}),
    partialFingerprints: { 'tidegateKey/v1': fingerprint },
    ...(commit === undefined ? {} : { properties: { commit } }),
    // What is not suppressed says so too, when anything in the run is.
    suppressions: pardon
      ? [{ kind: pardon.by === 'comment' ? 'inSource' : 'external', justification: pardon.reason }]
      : [],
  };
}

const location = (path: string, startLine: number, startColumn: number, text?: string) => ({
  physicalLocation: {
    artifactLocation: { uri: uriOf(path), ...(/^[\w+.-]+:\/\//u.test(path) ? {} : { uriBaseId: '%SRCROOT%' }) },
    region: { startLine: Math.max(1, startLine), startColumn: Math.max(1, startColumn) },
  },
  ...(text === undefined ? {} : { message: { text } }),
});

const uriOf = (path: string): string =>
  /^[\w+.-]+:\/\//u.test(path) ? encodeURI(path) : path.split('/').map(encodeURIComponent).join('/');
