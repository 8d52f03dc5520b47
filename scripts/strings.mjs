// Writes l10n/bundle.l10n.json, the strings that translators begin from: `node scripts/strings.mjs`. The extension says
// them by vscode.l10n.t, the views by t.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const said = folder =>
  readdirSync(path.join(root, folder), { recursive: true })
    .filter(name => name.endsWith('.ts'))
    .flatMap(name => [
      ...readFileSync(path.join(root, folder, name), 'utf8').matchAll(/\bt\(\s*(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g),
    ])
    .map(([, , text]) => text.replaceAll("\\'", "'"))
    .filter(text => !text.includes('${'));

const strings = [...new Set([...said('src/extension'), ...said('webview')])].sort();
const file = path.join(root, 'l10n', 'bundle.l10n.json');
writeFileSync(file, `${JSON.stringify(Object.fromEntries(strings.map(text => [text, text])), null, 2)}\n`);
