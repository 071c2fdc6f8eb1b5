// The shape of one `picket` command. A command writes to the streams it is given and returns its exit code.
// It never ends the process and never reads process.env: cli/main.ts, which picks the command, does.

export interface CommandIo {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Record<string, string | undefined>;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The full help text, with examples. */
  readonly usage: string;
  /** Resolves to the exit code: 0 done, 1 failed, 2 called wrongly. */
  run(args: string[], io: CommandIo): Promise<number>;
}
