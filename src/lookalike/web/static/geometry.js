/** 3 x 3 matrices over pixels, row by row: where a point of one picture lies in another. */

/** Return the matrix that does `second` first and `first` after it. */
export function multiply(first, second) {
  return first.map((row) => [0, 1, 2].map((column) => row.reduce((sum, value, i) => sum + value * second[i][column], 0)));
}

/** Return the inverse of a matrix. */
export function invert(matrix) {
  const [[a, b, c], [d, e, f], [g, h, i]] = matrix;
  const determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    [e * i - f * h, c * h - b * i, b * f - c * e],
    [f * g - d * i, a * i - c * g, c * d - a * f],
    [d * h - e * g, b * g - a * h, a * e - b * d],
  ].map((row) => row.map((value) => value / determinant));
}

/** Return a point moved by a matrix. */
export function move(matrix, [x, y]) {
  const [u, v, w] = matrix.map((row) => row[0] * x + row[1] * y + row[2]);
  return [u / w, v / w];
}

/** Return the movement of a small step at a point: the matrix as it acts there. */
export function moveStep(matrix, at, [dx, dy]) {
  const start = move(matrix, at);
  const end = move(matrix, [at[0] + dx, at[1] + dy]);
  return [end[0] - start[0], end[1] - start[1]];
}

/** Return by how much a matrix enlarges lengths at a point. */
export function enlargement(matrix, at) {
  const across = moveStep(matrix, at, [1, 0]);
  const down = moveStep(matrix, at, [0, 1]);
  return Math.sqrt(Math.abs(across[0] * down[1] - across[1] * down[0]));
}

/** Return the matrix that stretches one size over another. */
export function stretch(from, to) {
  return [
    [to.width / from.width, 0, 0],
    [0, to.height / from.height, 0],
    [0, 0, 1],
  ];
}

/**
 * Return a matrix of the server in coordinates of the page.
 *
 * The server counts from the centre of the first pixel, the page from its corner.
 */
export function fromPixelCentres(matrix) {
  const shift = (by) => [
    [1, 0, by],
    [0, 1, by],
    [0, 0, 1],
  ];
  return multiply(shift(0.5), multiply(matrix, shift(-0.5)));
}

/** Return a polygon of the server in coordinates of the page. */
export function polygonFromCentres(polygon) {
  return (polygon ?? []).map(([x, y]) => [x + 0.5, y + 0.5]);
}

/** Return a matrix as CSS writes it. */
export function toCss(matrix) {
  const [[a, b, c], [d, e, f], [g, h, i]] = matrix;
  return `matrix3d(${[a, d, 0, g, b, e, 0, h, 0, 0, 1, 0, c, f, 0, i].join(",")})`;
}
