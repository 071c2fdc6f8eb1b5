// Plots as SVG text, drawn by echarts without a browser: lines and dots over numeric axes, which is all the experiments need.
// The same plot gives the same text in every process. Does not write files; html.ts and write-report.ts take the text.
import * as echarts from 'echarts';

export interface PlotAxis {
  readonly label: string;
  readonly min?: number;
  readonly max?: number;
  readonly isLogarithmic?: boolean;
  /** Names for the places 0, 1, 2, ... instead of numbers. */
  readonly names?: readonly string[];
}

/** `shade` (0 low to 1 high) colours one dot. */
export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  readonly shade?: number;
}

export interface PlotSeries {
  readonly label: string;
  /** `thin` lines stay behind the others and have no entry in the legend. */
  readonly style: 'line' | 'dashed' | 'thin' | 'dots';
  readonly points: readonly PlotPoint[];
  /** Series with the same number share a colour; default: the next colour. */
  readonly colour?: number;
}

export interface Plot {
  /** File name without ending; also makes the ids in the SVG unique: lower-case letters, digits, `-`. */
  readonly name: string;
  readonly title: string;
  readonly x: PlotAxis;
  readonly y: PlotAxis;
  readonly series: readonly PlotSeries[];
}

const WIDTH = 720;
const HEIGHT = 440;
const COLOURS = ['#1f5fa8', '#c2452d', '#2b8a57', '#8a5ab5', '#b38600', '#50606e'];
/** Axes stand at the edge, not where the other one is zero. */
const EDGE_LINE = { show: true, onZero: false } as const;
const THIN_COLOUR = '#c9d3dd';
const LOW = [31, 95, 168] as const;
const HIGH = [216, 38, 84] as const;

/** Draws the plot; the result is a whole SVG document. */
export function renderSvg(plot: Plot): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  try {
    chart.setOption(optionOf(plot));
    return ownIds(chart.renderToSVGString(), plot.name);
  } finally {
    chart.dispose();
  }
}

/** The library counts its ids through the life of the process; here they are the plot's own, counted in order of appearance. */
function ownIds(svg: string, name: string): string {
  const ids = new Map<string, string>();
  return svg.replaceAll(/\bzr\d+-[a-z]*-?\d+\b/g, (id) => {
    const known = ids.get(id) ?? `${name}-${ids.size}`;
    ids.set(id, known);
    return known;
  });
}

function optionOf(plot: Plot): echarts.EChartsOption {
  const labels = plot.series.filter(({ style }) => style !== 'thin').map(({ label }) => label);
  return {
    animation: false,
    backgroundColor: '#ffffff',
    color: COLOURS,
    textStyle: { fontFamily: 'sans-serif' },
    title: { text: plot.title, left: 'center', textStyle: { fontSize: 15 } },
    legend: { data: labels, bottom: 0, type: 'plain' },
    grid: { left: plot.y.names === undefined ? 64 : 200, right: 28, top: 44, bottom: 78 },
    xAxis: { ...axisOf(plot.x), nameLocation: 'middle', nameGap: 28 },
    yAxis: {
      ...axisOf(plot.y),
      ...(plot.y.names === undefined ? { nameLocation: 'middle', nameGap: 44 } : {}),
    },
    series: plot.series.map(seriesOf),
  };
}

function axisOf({ label, min, max, isLogarithmic, names }: PlotAxis) {
  const range = { ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) };
  if (names === undefined) {
    return {
      type: isLogarithmic ? ('log' as const) : ('value' as const),
      name: label,
      scale: true,
      axisLine: EDGE_LINE,
      ...range,
    };
  }
  return {
    type: 'value' as const,
    name: label,
    min: -0.5,
    max: names.length - 0.5,
    interval: 0.5,
    splitLine: { show: false },
    axisTick: { show: false },
    axisLine: EDGE_LINE,
    axisLabel: { formatter: (value: number) => (Number.isInteger(value) ? (names[value] ?? '') : '') },
  };
}

function seriesOf(series: PlotSeries): echarts.SeriesOption {
  const { label, style, points } = series;
  const data = points.map(({ x, y, shade }) =>
    shade === undefined ? [x, y] : { value: [x, y], itemStyle: { color: shadeColour(shade) } },
  );
  const colour = colourOf(series);
  if (style === 'dots') {
    return { type: 'scatter', name: label, data, symbolSize: 5, itemStyle: colour, z: 4 };
  }
  return {
    type: 'line',
    name: label,
    data,
    showSymbol: false,
    lineStyle: { width: style === 'thin' ? 1 : 2, type: style === 'dashed' ? 'dashed' : 'solid', ...colour },
    itemStyle: colour,
    z: style === 'thin' ? 1 : 3,
  };
}

function colourOf({ style, colour }: PlotSeries): { color?: string } {
  if (style === 'thin') return { color: THIN_COLOUR };
  return colour === undefined ? {} : { color: COLOURS[colour % COLOURS.length]! };
}

function shadeColour(shade: number): string {
  const part = LOW.map((low, i) => Math.round(low + (HIGH[i]! - low) * shade));
  return `rgb(${part.join(',')})`;
}
