// Alerts a week, and how many of them were contacted in time; the table beside it says the same.
const WEEK_S = 7 * 86400;
const place = document.getElementById("weeks");
if (place) {
  const weeks = JSON.parse(place.dataset.weeks);
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {stroke: colour("--ink"), grid: {stroke: colour("--rule"), width: 1}};
  const data = [
    weeks.map((one) => Date.parse(one.week) / 1000),
    weeks.map((one) => one.alerts),
    weeks.map((one) => one.contacted_within.k),
  ];
  const options = {
    width: Math.max(260, place.clientWidth - 20), height: 240,
    // A week is a date, which no browser's zone may move.
    tzDate: (second) => uPlot.tzDate(new Date(second * 1000), "Etc/UTC"),
    // A week on either side: of one point alone uPlot makes years.
    scales: {x: {range: (_plot, low, high) => [low - WEEK_S, Math.min(high, data[0].at(-1)) + WEEK_S]}, y: {range: (_plot, _low, high) => [0, Math.max(1, high)]}},
    axes: [axis, axis],
    series: [
      {value: "{YYYY}-{MM}-{DD}"},
      {label: "alerts", stroke: colour("--s3"), width: 2, points: {show: true}},
      {label: "contacted in time", stroke: colour("--main"), width: 2, dash: [6, 3], points: {show: true}},
    ],
  };
  const plot = new uPlot(options, data, place);
  addEventListener("resize", () => plot.setSize({width: Math.max(260, place.clientWidth - 20), height: 240}));
}
