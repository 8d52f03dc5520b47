// Where the resolved configs of runs differ, setting by setting.

import { existsSync, readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { ConfigDifference } from '../../protocol/query';
import { resolvedConfigFile } from '../../run/folder';

export function configDifference(folders: readonly string[]): readonly ConfigDifference[] {
  const settings = folders.map(settingsOf);
  const paths = [...new Set(settings.flatMap(one => [...one.keys()]))];
  return paths.flatMap(path => {
    const values = settings.map(one => one.get(path) ?? null);
    return values.every(value => value === values[0]) ? [] : [{ path, values }];
  });
}

/** Every leaf by its path; none where there is no config. */
function settingsOf(folder: string): ReadonlyMap<string, string> {
  const settings = new Map<string, string>();
  const walk = (value: unknown, path: string): void => {
    if (Array.isArray(value) && value.some(item => typeof item === 'object' && item !== null)) {
      for (const [i, item] of value.entries()) walk(item, `${path}[${nameOf(item) ?? i}]`);
    } else if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      for (const [key, item] of Object.entries(value)) walk(item, path === '' ? key : `${path}.${key}`);
    } else {
      settings.set(path, typeof value === 'string' ? value : JSON.stringify(value));
    }
  };
  const file = resolvedConfigFile(folder);
  if (existsSync(file)) walk(parse(readFileSync(file, 'utf8')), '');
  return settings;
}

/** Phases are compared by their id, wherever they stand. */
const nameOf = (item: unknown): string | undefined =>
  typeof item === 'object' && item !== null && 'id' in item && typeof item.id === 'string' ? item.id : undefined;
