// Panels of which Grafana publishes no package, drawn as rectangles from the same data frames, with Grafana's colours and texts.
import React from "react";
import { formattedValueToString, getFieldDisplayName, getValueFormat } from "@grafana/data";

const labelWidth = (width) => Math.min(330, width / 4);

// Timeline is the panel "state timeline": a row for each series, with equal values merged.
export function Timeline({ frames, width, height, range, theme }) {
	const left = labelWidth(width);
	const row = height / frames.length;
	const x = (ms) => left + ((ms / 1000 - range.from) / (range.to - range.from)) * (width - left);
	return (
		<svg width={width} height={height}>
			{frames.map((frame, i) => {
				const [times, states] = frame.fields;
				return (
					<g key={i}>
						<text x={left - 6} y={(i + 0.65) * row} textAnchor="end" fontSize="12" fill={theme.colors.text.primary}>{getFieldDisplayName(states, frame)}</text>
						{spans(times, states).map(({ from, to, value }) => {
							const { text, color } = states.display(value);
							return (
								<g key={from}>
									<rect className="state" data-text={text} x={x(from)} y={i * row + 2} width={Math.max(1, x(to) - x(from))} height={row - 4} fill={color} />
									{x(to) - x(from) > 7 * text.length && row > 14 && <text x={x(from) + 4} y={(i + 0.65) * row} fontSize="11" fill="#000">{text}</text>}
								</g>
							);
						})}
					</g>
				);
			})}
		</svg>
	);
}

// spans returns the times in which a value lasts. A point lasts until the next one is due.
function spans(times, states) {
	const all = [];
	times.values.forEach((from, i) => {
		const last = all.at(-1);
		const to = from + times.config.interval;
		if (last?.value === states.values[i] && last.to >= from) last.to = to;
		else all.push({ from, to, value: states.values[i] });
	});
	return all;
}

// Heatmap is the panel "heatmap": a row for each bucket.
export function Heatmap({ frames, width, height, range, theme, unit }) {
	const left = 60;
	const row = height / frames.length;
	const most = Math.max(1, ...frames.flatMap((frame) => frame.fields[1].values));
	const x = (ms) => left + ((ms / 1000 - range.from) / (range.to - range.from)) * (width - left);
	const bound = (text) => (Number.isNaN(Number(text)) ? text : formattedValueToString(getValueFormat(unit)(Number(text))));
	return (
		<svg width={width} height={height}>
			{frames.map((frame, i) => {
				const [times, counts] = frame.fields;
				const y = height - (i + 1) * row;
				return (
					<g key={i}>
						<text x={left - 6} y={y + row * 0.7} textAnchor="end" fontSize="10" fill={theme.colors.text.secondary}>{bound(getFieldDisplayName(counts, frame))}</text>
						{counts.values.map((count, j) => count > 0 && (
							<rect key={j} className="count" data-count={count} x={x(times.values[j] - times.config.interval)} y={y + 1}
								width={Math.max(2, x(times.values[j]) - x(times.values[j] - times.config.interval) - 1)} height={Math.max(1, row - 2)}
								fill={`rgba(255, 152, 48, ${0.3 + (0.7 * count) / most})`} />
						))}
					</g>
				);
			})}
		</svg>
	);
}
