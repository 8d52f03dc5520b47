// The host's socket: in a folder of its own that only this user may enter, found through run.json. No TCP port.

import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdtempSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TriphaseError } from '../protocol/errors';

/** sockaddr_un.sun_path, with its closing zero: 108 bytes on Linux, 104 on macOS. */
const longestSocketPath = 103;

interface Listening {
  readonly address: string;
  readonly folder: string | undefined;
  readonly server: Server;
}

export class HostSocket {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private listening: Listening,
    private readonly onConnection: (socket: Socket) => void,
  ) {
    this.attend();
  }

  static async open(onConnection: (socket: Socket) => void): Promise<HostSocket> {
    return new HostSocket(await listen(), onConnection);
  }

  get address(): string {
    return this.listening.address;
  }

  /** Makes another where somebody has cleared it away, as is done in folders for what is temporary. @returns whether it did */
  async renew(): Promise<boolean> {
    const { address, folder, server } = this.listening;
    if (folder === undefined || isSocket(address)) return false;
    this.listening = await listen();
    this.attend();
    server.close();
    return true;
  }

  /** Waits until what was written has gone out, but not for a client that does not read. */
  async close(): Promise<void> {
    this.listening.server.close();
    await Promise.all([...this.sockets].map(endSocket));
    this.remove();
  }

  /** At once, without a word to anyone. */
  remove(): void {
    const { folder } = this.listening;
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }

  private attend(): void {
    this.listening.server.on('connection', socket => {
      this.sockets.add(socket);
      // a client that goes away while it is written to is no failure of the run
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.sockets.delete(socket));
      this.onConnection(socket);
    });
  }
}

async function listen(): Promise<Listening> {
  const folder = process.platform === 'win32' ? undefined : privateFolder();
  const address =
    folder === undefined ? `\\\\.\\pipe\\triphase-${randomBytes(16).toString('hex')}` : path.join(folder, 'host');
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, resolve);
  });
  if (folder !== undefined) chmodSync(address, 0o600);
  return { address, folder, server };
}

/** Takes away what a killed host left: the socket and its folder, and nothing else whatever the address says. */
export function removeStaleSocket(address: string): void {
  const folder = path.dirname(address);
  if (process.platform === 'win32' || !/^triphase-\w{6}$/.test(path.basename(folder))) return;
  try {
    if (isSocket(address)) unlinkSync(address);
    rmdirSync(folder);
  } catch {
    // it is gone already, or somebody else's
  }
}

function isSocket(address: string): boolean {
  return lstatSync(address, { throwIfNoEntry: false })?.isSocket() === true;
}

/** Where the path of a socket is short enough and a folder can be made; mkdtemp makes it with mode 0700. */
function privateFolder(): string {
  const tail = path.join('triphase-XXXXXX', 'host').length + 1;
  const parents = [tmpdir(), process.env['XDG_RUNTIME_DIR'] ?? '', '/tmp'].filter(path.isAbsolute);
  const refused: string[] = [];
  for (const parent of parents) {
    try {
      if (Buffer.byteLength(parent) + tail <= longestSocketPath) return mkdtempSync(path.join(parent, 'triphase-'));
      refused.push(`${parent}: the path of a socket there is too long`);
    } catch (error) {
      refused.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new TriphaseError(
    'run-folder',
    `There is no folder for the host's socket (${refused.join('; ')}).`,
    'Set TMPDIR to a folder with a short path that can be written to.',
  );
}

function endSocket(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const patience = setTimeout(() => socket.destroy(), 500);
    socket.once('close', () => {
      clearTimeout(patience);
      resolve();
    });
    socket.end(() => socket.destroySoon());
  });
}
