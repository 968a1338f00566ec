// Draws public/world.svg: the outlines of Natural Earth (public domain, by way of world-atlas) in the Natural Earth
// projection, of which public/projection.js puts visits in the same places. `npm install && npm run build`, when one of
// them changes.

import { createRequire } from "node:module";
import { geoGraticule, geoNaturalEarth1, geoPath } from "d3-geo";
import { merge, mesh } from "topojson-client";
import { HEIGHT, SCALE, WIDTH } from "../public/projection.js";

const world = createRequire(import.meta.url)("world-atlas/countries-110m.json");
const projection = geoNaturalEarth1().scale(SCALE).translate([WIDTH / 2, HEIGHT / 2]);
const path = geoPath(projection).digits(1);
const { countries } = world.objects;
// Antarctica takes a fifth of the map, and nobody visits from there.
countries.geometries = countries.geometries.filter((country) => country.id !== "010");
const parts = {
  sea: path({ type: "Sphere" }),
  net: path(geoGraticule().step([30, 30])()),
  land: path(merge(world, countries.geometries)),
  borders: path(mesh(world, countries, (one, other) => one !== other)),
};
console.log(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}">`);
console.log("<!-- Made with Natural Earth, naturalearthdata.com. -->");
for (const [id, d] of Object.entries(parts)) console.log(`<path id="${id}" d="${d}"/>`);
console.log("</svg>");
