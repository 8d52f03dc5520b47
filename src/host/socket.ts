// The host's socket: in a folder of its own that only this user may enter, found through run.json. No TCP port.

import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdtempSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** sockaddr_un.sun_path, with its closing zero: 108 bytes on Linux, 104 on macOS. */
const longestSocketPath = 103;

export class HostSocket {
  private readonly sockets = new Set<Socket>();

  private constructor(
    readonly address: string,
    private readonly folder: string | undefined,
    private readonly server: Server,
    onConnection: (socket: Socket) => void,
  ) {
    server.on('connection', socket => {
      this.sockets.add(socket);
      // a client that goes away while it is written to is no failure of the run
      socket.on('error', () => socket.destroy());
      socket.on('close', () => this.sockets.delete(socket));
      onConnection(socket);
    });
  }

  static async open(onConnection: (socket: Socket) => void): Promise<HostSocket> {
    const folder = process.platform === 'win32' ? undefined : privateFolder();
    const address =
      folder === undefined ? `\\\\.\\pipe\\triphase-${randomBytes(16).toString('hex')}` : path.join(folder, 'host');
    const server = createServer();
    const socket = new HostSocket(address, folder, server, onConnection);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address, resolve);
    });
    if (folder !== undefined) chmodSync(address, 0o600);
    return socket;
  }

  /** Waits until what was written has gone out, but not for a client that does not read. */
  async close(): Promise<void> {
    this.server.close();
    await Promise.all([...this.sockets].map(endSocket));
    this.remove();
  }

  /** At once, without a word to anyone. */
  remove(): void {
    if (this.folder !== undefined) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Takes away what a killed host left: the socket and its folder, and nothing else whatever the address says. */
export function removeStaleSocket(address: string): void {
  const folder = path.dirname(address);
  if (process.platform === 'win32' || !/^triphase-\w{6}$/.test(path.basename(folder))) return;
  try {
    if (lstatSync(address).isSocket()) unlinkSync(address);
    rmdirSync(folder);
  } catch {
    // it is gone already, or somebody else's
  }
}

/** mkdtemp makes it with mode 0700. */
function privateFolder(): string {
  const tail = path.join('triphase-XXXXXX', 'host').length + 1;
  const parent = Buffer.byteLength(tmpdir()) + tail <= longestSocketPath ? tmpdir() : '/tmp';
  return mkdtempSync(path.join(parent, 'triphase-'));
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
