import axe from 'axe-core';

/** Serious findings of axe in an element, as texts; the browser tests check what needs a layout (contrast, sizes). */
export async function seriousFindings(element: Element): Promise<string[]> {
  const { violations } = await axe.run(element, { rules: { 'color-contrast': { enabled: false }, region: { enabled: false } } });
  return violations
    .filter(one => one.impact === 'serious' || one.impact === 'critical')
    .map(one => `${one.id}: ${one.nodes.map(node => node.html).join(' | ')}`);
}
