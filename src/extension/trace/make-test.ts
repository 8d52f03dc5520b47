// A test case from a rollout: the person picks the rule and what it must say; the case is written beside the rule in the
// config of the run, where it can be undone, and shown there.

import * as vscode from 'vscode';
import { TriphaseError } from '../../protocol/errors';
import type { RolloutDetail } from '../../protocol/query';
import { readRunInfo } from '../../run/folder';
import { editIn, kindOf } from '../editor/documents';

export async function makeTest(folder: string, detail: RolloutDetail, named: string | undefined): Promise<void> {
  const { addTest } = await import('../../language/add-test');
  const { YamlSource } = await import('../../language/yaml-source');
  const file = readRunInfo(folder).config;
  const document = await vscode.workspace.openTextDocument(file).then(
    found => found,
    () => undefined,
  );
  if (document === undefined)
    throw new TriphaseError('config', 'The config of this run is gone.', 'Open the config that the rule is in.', {
      file,
    });
  const wish = await onceAtATime(() => askFor(detail, named));
  if (wish === undefined) return;
  const { rule, wanted } = wish;
  const { gold, question, caption, cells, completion } = detail;
  const { answer_kind: kind, completion_tokens: tokens } = cells;
  const test = {
    completion,
    row: {
      ...(question === null ? {} : { question }),
      ...(gold === null ? {} : { answer: gold }),
      ...(kind === 'number' || kind === 'string' || kind === 'choice' ? { kind } : {}),
      ...(caption === null ? {} : { caption }),
    },
    ...(typeof tokens === 'number' ? { tokens } : {}),
    ...(cells['truncated'] === true ? { truncated: true } : {}),
    score: wanted,
  };
  const own = YamlSource.of(document.getText());
  const candidates = [document];
  const { sharedRewardsOf } = await import('../../language/shared-files');
  const shared = sharedRewardsOf(own, file);
  if (shared !== undefined)
    await vscode.workspace.openTextDocument(shared).then(
      found => candidates.push(found),
      () => undefined,
    );
  // beside the rule itself, which may stand in the rewards that the config names
  const [place] = candidates.flatMap(holder => {
    const kind = holder === document ? (kindOf(document) ?? 'curriculum') : 'rewards';
    const edit = addTest(kind, YamlSource.of(holder.getText()), rule, test);
    return edit === undefined ? [] : [{ holder, edit }];
  });
  if (place === undefined)
    throw new TriphaseError(
      'config',
      `${rule} is written neither in this file nor in the rewards that it names.`,
      'Write the rule there, or open the file that has it.',
      { file },
    );
  const { holder, edit } = place;
  await vscode.workspace.applyEdit(editIn(holder, [edit]));
  const shown = await vscode.window.showTextDocument(holder, { viewColumn: vscode.ViewColumn.Beside });
  // what it must pay is what one would change
  const at = edit.start + edit.text.lastIndexOf('score: ') + 'score: '.length;
  const [from, to] = [holder.positionAt(at), holder.positionAt(at + String(wanted).length)];
  shown.selection = new vscode.Selection(from, to);
  shown.revealRange(new vscode.Range(from, to), vscode.TextEditorRevealType.InCenterIfOutsideViewport);
  // the box that was picked from gives the keyboard back to the page that asked, which may have it after the text
  for (let i = 0; i < 5; i++) {
    await new Promise(resolve => setTimeout(resolve, 100));
    if (vscode.window.tabGroups.activeTabGroup.viewColumn !== shown.viewColumn)
      await vscode.window.showTextDocument(holder, { viewColumn: shown.viewColumn ?? vscode.ViewColumn.Active });
  }
}

let asking = false;

/** A key that is held or pressed again asks no second time. */
async function onceAtATime<T>(ask: () => Promise<T | undefined>): Promise<T | undefined> {
  if (asking) return undefined;
  asking = true;
  try {
    return await ask();
  } finally {
    asking = false;
  }
}

async function askFor(
  detail: RolloutDetail,
  named: string | undefined,
): Promise<{ readonly rule: string; readonly wanted: number } | undefined> {
  const rule = named ?? (await pickRule(detail));
  if (rule === undefined) return undefined;
  const wanted = await pickScore(rule, detail.explained?.[rule]?.score ?? detail.scores[rule] ?? 0);
  return wanted === undefined ? undefined : { rule, wanted };
}

async function pickRule({ scores, explained }: RolloutDetail): Promise<string | undefined> {
  const picked = await vscode.window.showQuickPick(
    Object.entries(scores).map(([rule, score]) => ({
      label: rule,
      description: score === null ? vscode.l10n.t('not asked') : vscode.l10n.t('pays {0}', score),
      detail: explained?.[rule]?.why ?? '',
    })),
    { placeHolder: vscode.l10n.t('Which rule is the test for?'), ignoreFocusOut: true },
  );
  return picked?.label;
}

async function pickScore(rule: string, score: number): Promise<number | undefined> {
  const other = vscode.l10n.t('Another score …');
  const choices = [
    { label: String(score), description: vscode.l10n.t('as it pays now'), value: score },
    ...[0, 1].filter(value => value !== score).map(value => ({ label: String(value), description: '', value })),
    { label: other, description: '', value: Number.NaN },
  ];
  const picked = await vscode.window.showQuickPick(choices, {
    placeHolder: vscode.l10n.t('What must {0} pay for this completion?', rule),
    // the page that asked may take the keyboard back, and the question stays
    ignoreFocusOut: true,
  });
  if (picked === undefined || !Number.isNaN(picked.value)) return picked?.value;
  const typed = await vscode.window.showInputBox({
    prompt: vscode.l10n.t('What must {0} pay for this completion?', rule),
    validateInput: text =>
      text.trim() !== '' && Number.isFinite(Number(text)) ? undefined : vscode.l10n.t('This is no number.'),
  });
  return typed === undefined ? undefined : Number(typed);
}
