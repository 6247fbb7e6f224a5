// Draws a dashboard with Grafana's own panels: /?board=NAME&from=SECONDS&to=SECONDS and values of variables.
import React, { useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";
import {
	Registry, ThemeContext, applyFieldOverrides, cacheFieldDisplayNames, createTheme, dateTime, getFieldDisplayName, getFieldDisplayValues,
	standardFieldConfigEditorRegistry, standardTransformers, standardTransformersRegistry, transformDataFrame,
} from "@grafana/data";
import { BigValue, GlobalStyles, PanelChrome, TimeSeries } from "@grafana/ui";
import { TableNG } from "@grafana/ui/unstable";
import { lastValueFrom } from "rxjs";
import { interpolate, query, resolveVariables } from "./data.js";
import { Heatmap, Timeline } from "./rectangles.jsx";

const theme = createTheme({ colors: { mode: "dark" } });
const cell = 38; // a row of Grafana's grid in pixels, with its margin
const margin = 8;

const unique = (list) => [...new Map(list.map((item) => [item.id, item])).values()];
standardTransformersRegistry.setInit(() => unique(Object.values(standardTransformers)).map((info) => ({ ...info, transformation: async () => info })));

// The options of panels are taken as they are.
const option = (id) => ({
	id, path: id.replace(/^custom\./, ""), isCustom: id.startsWith("custom."), name: id, settings: {}, process: (value) => value, shouldApply: () => true,
});
const standard = ["unit", "min", "max", "decimals", "displayName", "noValue", "color", "thresholds", "mappings", "links"].map(option);
standardFieldConfigEditorRegistry.setInit(() => standard);

// registryOf has also the options that a panel's own kind has.
function registryOf({ defaults, overrides }) {
	const custom = [...Object.keys(defaults.custom ?? {}).map((name) => `custom.${name}`), ...overrides.flatMap(({ properties }) => properties.map(({ id }) => id))];
	return new Registry(() => unique([...standard, ...custom.filter((id) => id.startsWith("custom.")).map(option)]));
}

// withFields replaces Grafana's variables in links of cells.
const withFields = (values) => (text, scoped) => interpolate(text.replace(/\$\{__data\.fields\.(\w+):percentencode\}/g, (_, name) => {
	const { frame, rowIndex } = scoped?.__dataContext?.value ?? {};
	const field = frame?.fields.find((f) => getFieldDisplayName(f, frame) === name);
	return encodeURIComponent(field?.values[rowIndex] ?? "");
}), values);

async function load(panel, range, values, width) {
	let frames = (await Promise.all(panel.targets.map((target) => query(panel, target, range, values, width)))).flat();
	const samples = frames.reduce((sum, frame) => sum + frame.length, 0);
	if (panel.transformations?.length > 0) frames = await lastValueFrom(transformDataFrame(panel.transformations, frames));
	const fieldConfig = structuredClone(panel.fieldConfig);
	fieldConfig.overrides ??= [];
	fieldConfig.defaults.thresholds?.steps.forEach((step) => (step.value ??= -Infinity));
	const drawn = applyFieldOverrides({
		data: frames, fieldConfig, fieldConfigRegistry: registryOf(fieldConfig), replaceVariables: withFields(values), theme, timeZone: "utc",
	});
	cacheFieldDisplayNames(drawn);
	return { frames: drawn, samples, fieldConfig };
}

function Content({ panel, data, width, height, range, values }) {
	const { frames, samples, fieldConfig } = data;
	const timeRange = { from: dateTime(range.from * 1000), to: dateTime(range.to * 1000), raw: { from: "", to: "" } };
	const empty = <div className="empty">{fieldConfig.defaults.noValue}</div>;
	switch (panel.type) {
		case "stat":
			return <Stat {...{ panel, frames, fieldConfig, width, height, values }} />;
		case "table":
			if (samples === 0) return empty;
			return <TableNG data={frames[0]} width={width} height={height} noValue={fieldConfig.defaults.noValue} fieldConfig={fieldConfig} enableVirtualization={false}
				sortBy={panel.options.sortBy} cellHeight={panel.options.cellHeight} structureRev={1} />;
		case "timeseries":
			if (samples === 0) return empty;
			return <TimeSeries frames={frames} width={width} height={height} timeRange={timeRange} timeZone="utc" legend={panel.options.legend} structureRev={1} />;
		case "state-timeline":
			return samples === 0 ? empty : <Timeline {...{ frames, width, height, range, theme }} />;
		case "heatmap":
			return samples === 0 ? empty : <Heatmap {...{ frames, width, height, range, theme }} unit={panel.options.yAxis.unit} />;
		default:
			throw new Error(`a panel of the kind ${panel.type}`);
	}
}

function Stat({ panel, frames, fieldConfig, width, height, values }) {
	const shown = getFieldDisplayValues({
		fieldConfig, reduceOptions: panel.options.reduceOptions, data: frames, theme, timeZone: "utc", replaceVariables: withFields(values),
	});
	return (
		<div style={{ display: "flex" }}>
			{shown.map(({ display }, i) => (
				<BigValue key={i} value={display} count={shown.length} width={width / shown.length} height={height}
					theme={theme} colorMode={panel.options.colorMode} graphMode={panel.options.graphMode} textMode={panel.options.textMode} />
			))}
		</div>
	);
}

function Panel({ panel, range, values, unit, loaded }) {
	const { x, y, w, h } = panel.gridPos;
	const width = w * unit - margin;
	const height = h * cell - margin;
	const [data, setData] = useState(null);
	const [took, setTook] = useState(null);
	useEffect(() => {
		const began = performance.now();
		const show = (loaded) => { setData(loaded); setTook(Math.round(performance.now() - began)); };
		load(panel, range, values, Math.round(width)).then(show, (err) => errors.push(`${panel.title}: ${err.stack}`)).finally(loaded);
	}, []);
	const place = { position: "absolute", left: x * unit, top: y * cell, width, height };
	return (
		<div style={place} data-title={panel.title} data-kind={panel.type} data-samples={data?.samples ?? -1} data-took={took} data-novalue={panel.fieldConfig.defaults.noValue}>
			<PanelChrome title={panel.title} description={panel.description} width={width} height={height} padding={panel.type === "table" ? "none" : "md"}>
				{(innerWidth, innerHeight) => data && <Content {...{ panel, data, range, values }} width={innerWidth} height={innerHeight} />}
			</PanelChrome>
		</div>
	);
}

function Board({ board, range, values, loaded }) {
	const unit = (document.documentElement.clientWidth - 2 * margin) / 24;
	const bottom = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
	return (
		<ThemeContext.Provider value={theme}>
			<h1>{board.title}</h1>
			<main style={{ position: "relative", height: bottom * cell }}>
				{board.panels.map((panel) => panel.type === "row"
					? <h2 key={panel.id} style={{ position: "absolute", top: panel.gridPos.y * cell }}>{interpolate(panel.title, values)}</h2>
					: <Panel key={panel.id} {...{ panel, range, values, unit, loaded }} />)}
			</main>
		</ThemeContext.Provider>
	);
}

// loadFonts waits for the font of Grafana, so that texts have their widths.
async function loadFonts() {
	const styles = document.body.appendChild(document.createElement("div"));
	flushSync(() => createRoot(styles).render(<ThemeContext.Provider value={theme}><GlobalStyles /></ThemeContext.Provider>));
	const loaded = await Promise.all([400, 500].map((weight) => document.fonts.load(`${weight} 14px Inter`)));
	if (loaded.some((faces) => faces.length === 0)) errors.push("the font Inter is not there");
}

async function main() {
	await loadFonts();
	const parameters = new URLSearchParams(location.search);
	const board = await (await fetch(`boards/${parameters.get("board")}.json`)).json();
	const range = { from: Number(parameters.get("from")), to: Number(parameters.get("to")) };
	const values = await resolveVariables(board, range, parameters);
	let missing = board.panels.filter(({ type }) => type !== "row").length;
	const began = performance.now();
	const loaded = () => {
		missing -= 1;
		// Tables measure their columns after they were drawn.
		if (missing === 0) requestAnimationFrame(() => setTimeout(() => { document.body.dataset.took = performance.now() - began; }, 500));
	};
	createRoot(document.querySelector("#board")).render(<Board {...{ board, range, values }} loaded={loaded} />);
}

window.errors = [];
window.__grafana_public_path__ = "public/";
main();
