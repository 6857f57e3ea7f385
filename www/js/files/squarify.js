// Squarified treemap (Bruls, Huizing, van Wijk 2000): rectangles as near to squares as they get.

/**
 * Rectangles `{item, x, y, width, height}` for items with a positive `size`, largest first, that
 * fill the given one.
 */
export function squarify(items, { x, y, width, height }) {
  const total = items.reduce((sum, item) => sum + item.size, 0);
  const scale = total > 0 ? (width * height) / total : 0;
  const out = [];
  let at = 0;
  while (at < items.length && width > 0 && height > 0) {
    const side = Math.min(width, height);
    let end = at + 1;
    let area = items[at].size * scale;
    while (end < items.length) {
      const next = area + items[end].size * scale;
      const before = worst(items[at].size * scale, items[end - 1].size * scale, area, side);
      if (worst(items[at].size * scale, items[end].size * scale, next, side) > before) break;
      area = next;
      end += 1;
    }
    const thick = area / side;
    let along = 0;
    for (const item of items.slice(at, end)) {
      const length = (item.size * scale) / thick;
      out.push(
        width >= height
          ? { item, x, y: y + along, width: thick, height: length }
          : { item, x: x + along, y, width: length, height: thick },
      );
      along += length;
    }
    if (width >= height) [x, width] = [x + thick, width - thick];
    else [y, height] = [y + thick, height - thick];
    at = end;
  }
  return out;
}

// The worst ratio of sides in a row of this area, between its largest and its smallest rectangle.
const worst = (largest, smallest, area, side) =>
  Math.max((side * side * largest) / (area * area), (area * area) / (side * side * smallest));
