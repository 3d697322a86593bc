import type { JupyterFrontEnd } from '@jupyterlab/application';

import type { ISidebar } from '../../tokens';

/** What a panel can have the application do. */
export interface Host {
  /** Show a folder in the file browser. */
  openFolder(path: string): void;
  /** Open a Markdown file to be read. */
  openDocument(path: string): void;
  /** Open another section of the sidebar. */
  reveal(section: string): void;
  has(command: string): boolean;
  run(command: string): void;
}

export function makeHost(app: JupyterFrontEnd, sidebar: ISidebar): Host {
  const run = (command: string, args: Record<string, string> = {}): void => {
    app.commands.execute(command, args).catch((error: unknown) => console.error(error)); // the commands show a dialog themselves
  };
  return {
    openFolder: path => run('filebrowser:open-path', { path }),
    openDocument: path => run('docmanager:open', { path, factory: 'Markdown Preview' }),
    reveal: section => sidebar.reveal(section),
    has: command => app.commands.hasCommand(command),
    run: command => run(command)
  };
}
