import type { JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { IFrame } from '@jupyterlab/ui-components';

import { mlopsIcon } from '../../icons';

/** A page of a report, to be opened in a tab. */
export interface ReportPage {
  /** The tab of this id shows it, if there is one. */
  id: string;
  label: string;
  url: string;
  kind: 'report' | 'drift';
}

// The server says the same of its pages: none is of the server's origin, so that no script in one can use the user's login.
const SANDBOX: Record<ReportPage['kind'], readonly string[]> = {
  report: ['allow-popups', 'allow-popups-to-escape-sandbox'], // it has no script, but a link to the other one
  drift: ['allow-scripts']
};

/** Open a page in a tab of the main area, where there are tabs; the one that shows it already reads it anew. */
export function openPage(app: JupyterFrontEnd, page: ReportPage): void {
  const open = [...app.shell.widgets('main')].find(widget => widget.id === page.id) as MainAreaWidget<IFrame> | undefined;
  if (open) {
    open.content.url = addressOf(page, open.content.url);
  } else {
    const tab = makeTab(page);
    app.shell.add(tab, 'main', { type: 'MLOps' });
    if (!tab.isAttached) {
      tab.dispose(); // Notebook 7 has room for one document only
      window.open(page.url, '_blank', 'noopener');
    }
  }
  app.shell.activateById(page.id);
}

/** With the theme, which a page of ours takes from there; one that differs from the address before, so that it is read anew. */
function addressOf(page: ReportPage, before: string): string {
  const scheme = document.body.dataset.jpThemeLight === 'false' ? 'dark' : 'light';
  const reads = Number(/\?read=(\d+)/.exec(before)?.[1] ?? 0) + 1;
  return `${page.url}?read=${reads}#${scheme}`;
}

function makeTab(page: ReportPage): MainAreaWidget<IFrame> {
  const content = new IFrame({ sandbox: SANDBOX[page.kind] as IFrame.SandboxExceptions[] });
  content.addClass('jp-mlops-Report');
  content.node.querySelector('iframe')!.title = page.label;
  content.node.dataset.kind = page.kind;
  content.url = addressOf(page, '');
  const tab = new MainAreaWidget({ content });
  tab.id = page.id;
  tab.title.label = page.label;
  tab.title.icon = mlopsIcon;
  tab.title.closable = true;
  return tab;
}
