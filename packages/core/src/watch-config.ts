/**
 * The configuration file, read again when it has changed. What it says is handed on only when all of it is valid; a
 * faulty one is told once, and changes nothing.
 */
import { stat } from 'node:fs/promises';
import { type Config, readConfigFile, resolveConfig } from './config.ts';
import type { Environment } from './environment.ts';

export interface WatchTerms {
  file: string;
  environment: Environment;
  /** How often its time stamp is looked at. It is read at the second look that finds a stamp: it may still be written. */
  everyMs: number;
  onChange(config: Config): void;
  /** Told once of each fault, however long it stays. */
  onFault(error: Error): void;
}

/** Watches the file that this process was started with, until it is closed. */
export function watchConfig({ file, environment, everyMs, onChange, onFault }: WatchTerms): { close(): void } {
  let seen = '';
  let read = '';
  let told = '';
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const look = async (): Promise<void> => {
    const { mtimeMs, size } = await stat(file);
    const stamp = `${mtimeMs}-${size}`;
    const settled = stamp === seen;
    seen = stamp;
    // One that is older than this process was read at its start.
    if (read === '' && mtimeMs < performance.timeOrigin) read = stamp;
    if (stamp === read || !settled) return;
    read = stamp;
    const config = resolveConfig(await readConfigFile(file, stamp), environment, file);
    told = '';
    if (!closed) onChange(config);
  };
  const lookAgain = async (): Promise<void> => {
    try {
      await look();
    } catch (error) {
      const fault = error instanceof Error ? error : new Error(String(error));
      if (fault.message !== told && !closed) onFault(fault);
      told = fault.message;
    }
    if (closed) return;
    timer = setTimeout(lookAgain, everyMs);
    timer.unref();
  };
  void lookAgain();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
    },
  };
}
