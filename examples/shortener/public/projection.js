// The Natural Earth projection: where on the map a place is. Bojan Šavrič, Bernhard Jenny, Tom Patterson, Dušan Petrovič
// and Lorenz Hurni, "A polynomial equation for the Natural Earth projection", 2011.

export const WIDTH = 960;
export const HEIGHT = 500;
export const SCALE = 174;

/** From degrees to the map's units. */
export function project(longitude, latitude) {
  const [lambda, phi] = [longitude, latitude].map((degrees) => (degrees * Math.PI) / 180);
  const p2 = phi ** 2;
  const p4 = p2 ** 2;
  const p6 = p2 * p4;
  const length = 0.8707 - 0.131979 * p2 + p4 * (-0.013791 + p4 * (0.003971 * p2 - 0.001529 * p4));
  const distance = phi * (1.007226 + p2 * 0.015085 + p6 * (-0.044475 + 0.028874 * p2 - 0.005916 * p4));
  return [WIDTH / 2 + SCALE * lambda * length, HEIGHT / 2 - SCALE * distance];
}
