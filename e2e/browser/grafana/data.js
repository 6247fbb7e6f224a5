// What Grafana's server and its Prometheus data source do: variables, queries, and data frames.
import { FieldType, createDataFrame, rangeUtil } from "@grafana/data";

const api = async (path, parameters) => {
	const response = await fetch(`prometheus/api/v1/${path}?${new URLSearchParams(parameters)}`);
	const answer = await response.json();
	if (answer.status !== "success") throw new Error(`${path} ${JSON.stringify(parameters)}: ${answer.error}`);
	return answer.data;
};

const quoted = (text) => text.replace(/[\\^$*+?.()|[\]{}]/g, "\\\\$&").replace(/"/g, '\\"');

// resolveVariables selects all values of each variable, those that the page's address names, or the first of a variable that has one.
export async function resolveVariables(board, range, picked) {
	const values = {};
	for (const variable of board.templating.list) {
		const chosen = picked.getAll(variable.name);
		if (variable.type !== "query") {
			values[variable.name] = chosen[0] ?? variable.current?.value ?? "";
			continue;
		}
		const options = await optionsOf(variable, range, values);
		if (!variable.multi) values[variable.name] = chosen[0] ?? options[0] ?? "";
		else if (chosen.length === 0 && variable.allValue) values[variable.name] = variable.allValue;
		else values[variable.name] = (chosen.length > 0 ? chosen : options).map(quoted).join("|");
	}
	return values;
}

async function optionsOf(variable, range, values) {
	const seconds = Math.round(range.to - range.from);
	const [, what, argument] = /^(\w+)\((.*)\)$/.exec(interpolate(variable.query, { ...values, __range: `${seconds}s` }));
	if (what === "query_result") {
		const { result } = await api("query", { query: argument, time: range.to });
		const texts = result.map(({ metric }) => Object.entries(metric).map(([name, value]) => `${name}="${value}"`).join(", "));
		const pattern = new RegExp(variable.regex.slice(1, -1));
		return [...new Set(texts.map((text) => pattern.exec(text)[1]))];
	}
	const [, series, label] = /^(.*), (\w+)$/.exec(argument);
	return await api(`label/${label}/values`, [["match[]", series], ["start", range.from], ["end", range.to]]);
}

export function interpolate(text, values) {
	return text.replace(/\$\{(\w+)(?::(\w+))?\}|\$(\w+)/g, (found, braced, format, name) => {
		const value = values[braced ?? name];
		if (value === undefined) return found;
		return format === "percentencode" ? encodeURIComponent(value) : value;
	});
}

// secondsOf returns a step such as "4s" in seconds.
const secondsOf = (step) => rangeUtil.intervalToSeconds(step);

// query returns the frames of a panel's query.
export async function query(panel, target, range, values, width) {
	const seconds = Math.round(range.to - range.from);
	if (target.instant) {
		const expr = interpolate(target.expr, { ...values, __range: `${seconds}s` });
		const { result } = await api("query", { query: expr, time: range.to });
		return target.format === "table" ? [tableFrame(panel, target, result)] : result.map((series) => numberFrame(target, series));
	}
	const least = secondsOf(target.interval);
	const step = Math.max(least, rangeUtil.roundInterval((seconds * 1000) / (panel.maxDataPoints ?? width)) / 1000);
	const expr = interpolate(target.expr, {
		...values, __range: `${seconds}s`, __interval: `${step}s`, __rate_interval: `${Math.max(step + least, 4 * least)}s`,
	});
	const { result } = await api("query_range", {
		query: expr, start: Math.floor(range.from / step) * step, end: Math.floor(range.to / step) * step, step,
	});
	const frames = result.map((series) => seriesFrame(target, series, step));
	return target.format === "heatmap" ? perBucket(frames) : frames;
}

const legend = (target, labels) => target.legendFormat.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => labels[name] ?? "").trim();

// number returns a value as Grafana draws it: without NaN.
const number = (text) => (Number.isNaN(Number(text)) ? null : Number(text));

function seriesFrame(target, { metric, values }, step) {
	const name = legend(target, metric);
	return createDataFrame({
		refId: target.refId, name,
		fields: [
			{ name: "Time", type: FieldType.time, config: { interval: step * 1000 }, values: values.map(([at]) => at * 1000) },
			{ name: "Value", type: FieldType.number, labels: metric, config: { displayNameFromDS: name }, values: values.map(([, text]) => number(text)) },
		],
	});
}

function numberFrame(target, { metric, value }) {
	return seriesFrame(target, { metric, values: [value] }, 1);
}

function tableFrame(panel, target, result) {
	const labels = [...new Set(result.flatMap(({ metric }) => Object.keys(metric)))].sort();
	const name = panel.targets.length > 1 ? `Value #${target.refId}` : "Value";
	return createDataFrame({
		refId: target.refId,
		fields: result.length === 0 ? [] : [
			{ name: "Time", type: FieldType.time, config: {}, values: result.map(({ value }) => value[0] * 1000) },
			...labels.map((label) => ({ name: label, type: FieldType.string, config: { filterable: true }, values: result.map(({ metric }) => metric[label] ?? "") })),
			{ name, type: FieldType.number, config: {}, values: result.map(({ value }) => number(value[1])) },
		],
	});
}

// perBucket sorts the buckets of a histogram, which are cumulative, and subtracts each from the next.
function perBucket(frames) {
	const bound = (frame) => Number(frame.fields[1].labels.le.replace("+Inf", "Infinity"));
	const sorted = [...frames].sort((a, b) => bound(a) - bound(b));
	const before = new Map();
	for (const frame of sorted) {
		const [times, values] = frame.fields;
		values.values = values.values.map((value, i) => {
			const at = times.values[i];
			const own = value - (before.get(at) ?? 0);
			before.set(at, value);
			return Math.max(own, 0);
		});
	}
	return sorted;
}
