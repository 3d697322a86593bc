import type { IThemeManager } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';
import { useEffect, useReducer, useRef, useState } from 'react';

import { ChartSpec, chartTheme, IChartTheme } from './chart-spec';

const STEP = 20; // px; a chart is not drawn for each of them
const VEGALITE = 'application/vnd.vegalite.v5+json';

/** Whether charts can be drawn. */
export function canDraw(rendermime: IRenderMimeRegistry | null): rendermime is IRenderMimeRegistry {
  return rendermime?.getFactory(VEGALITE) !== undefined;
}

/** Colours of the theme; renders again when it is changed. */
export function useChartTheme(themes: IThemeManager | null): IChartTheme {
  const [, again] = useReducer((count: number) => count + 1, 0);
  useEffect(() => {
    themes?.themeChanged.connect(again);
    return () => {
      themes?.themeChanged.disconnect(again);
    };
  }, [themes]);
  return chartTheme();
}

/**
 * A chart by JupyterLab's own renderer, as wide as there is room. What it says is said in words or in a table, too.
 *
 * The width is measured here: Vega only listens to the window, and draws nothing in a tab that is hidden.
 */
export function Chart(props: {
  spec: (width: number) => ChartSpec | null;
  rendermime: IRenderMimeRegistry;
  label: string;
  failed: string;
}): JSX.Element {
  const { rendermime, failed } = props;
  const figure = useRef<HTMLElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const [error, setError] = useState(false);
  const [width, setWidth] = useState(0);
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      const room = Math.floor((figure.current?.clientWidth ?? 0) / STEP) * STEP;
      setWidth(old => room || old);
    });
    observer.observe(figure.current!);
    return () => observer.disconnect();
  }, []);
  const text = width ? JSON.stringify(props.spec(width)) : ''; // the same chart is not drawn again
  useEffect(() => {
    const node = host.current!;
    if (!text) {
      return;
    }
    const renderer = rendermime.createRenderer(VEGALITE);
    let gone = false;
    Widget.attach(renderer, node);
    setError(false);
    const data = { [VEGALITE]: JSON.parse(text) };
    const metadata = { [VEGALITE]: { embed_options: { actions: false, renderer: 'svg' } } };
    renderer.renderModel(rendermime.createModel({ data, metadata, trusted: true })).catch((reason: unknown) => {
      if (!gone) {
        console.error(reason);
        setError(true);
      }
    });
    return () => {
      gone = true;
      renderer.dispose();
    };
  }, [rendermime, text]);
  return (
    <figure ref={figure} className="jp-mlops-Chart" role="group" aria-label={props.label} tabIndex={0}>
      <div ref={host} hidden={error} />
      {error && <p role="alert">{failed}</p>}
    </figure>
  );
}
