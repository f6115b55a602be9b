//! Line charts as inline SVG: no script, colours from the page's style sheet, so light and dark both work.

use std::fmt::Write as _;

use super::html::escape;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 72.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 48.0;

/// How values become heights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero.
    Linear,
    /// Decades; only for values above zero.
    Logarithmic,
}

/// A line of a chart.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: &'static str,
    pub(super) points: Vec<(f64, f64)>,
}

/// A chart.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    /// Unique on its page; names the elements.
    pub(super) id: String,
    pub(super) title: String,
    /// What can be seen, for those who cannot see it.
    pub(super) description: String,
    pub(super) x_label: &'static str,
    pub(super) y_label: &'static str,
    /// Where the x axis has marks, and what they say.
    pub(super) x_ticks: Vec<(f64, String)>,
    pub(super) scale: Scale,
    pub(super) lines: Vec<Line>,
}

impl Chart {
    /// The `svg` element; empty: there is nothing to show.
    pub(super) fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let xs = points().map(|point| point.0);
        let Some((x_from, x_to)) = range(xs.chain(self.x_ticks.iter().map(|tick| tick.0))) else {
            return String::new();
        };
        let Some((low, high)) = range(points().map(|point| point.1)) else {
            return String::new();
        };
        let ticks = ticks(self.scale, low, high);
        let heights = ticks.iter().map(|tick| self.height(*tick));
        let Some((y_from, y_to)) = range(heights) else {
            return String::new();
        };
        let frame = Frame {
            x: (x_from, x_to),
            y: (y_from, y_to),
        };
        let mut svg = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut svg, &frame, &ticks);
        svg
    }

    fn height(&self, value: f64) -> f64 {
        match self.scale {
            Scale::Linear => value,
            Scale::Logarithmic => value.log10(),
        }
    }

    fn write(&self, svg: &mut String, frame: &Frame, ticks: &[f64]) -> std::fmt::Result {
        let id = escape(&self.id);
        write!(
            svg,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\">\
             <title id=\"{id}-title\">{}</title><desc id=\"{id}-desc\">{}</desc>",
            escape(&self.title),
            escape(&self.description)
        )?;
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for &tick in ticks {
            let y = frame.y(self.height(tick));
            write!(
                svg,
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
                 <text class=\"y\" x=\"{}\" y=\"{:.1}\">{}</text>",
                LEFT - 8.0,
                y + 4.0,
                number(tick)
            )?;
        }
        for (tick, label) in &self.x_ticks {
            let x = frame.x(*tick);
            write!(
                svg,
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{bottom}\"/>\
                 <text class=\"x\" x=\"{x:.1}\" y=\"{}\">{}</text>",
                bottom + 18.0,
                escape(label)
            )?;
        }
        for (index, line) in self.lines.iter().enumerate() {
            let points = line.points.iter();
            let points = points.map(|&(x, y)| format!("{:.1},{:.1}", frame.x(x), frame.y(self.height(y))));
            let points = points.collect::<Vec<_>>().join(" ");
            write!(svg, "<polyline class=\"line line-{index}\" points=\"{points}\"/>")?;
        }
        write!(
            svg,
            "<text class=\"x\" x=\"{:.1}\" y=\"{}\">{}</text>\
             <text class=\"label\" transform=\"translate(16 {:.1}) rotate(-90)\">{}</text></svg>",
            f64::midpoint(LEFT, right),
            HEIGHT - 8.0,
            escape(self.x_label),
            f64::midpoint(TOP, bottom),
            escape(self.y_label)
        )
    }

    /// What the lines are, below the chart.
    pub(super) fn legend(&self) -> String {
        let entries = self.lines.iter().enumerate().map(|(index, line)| {
            format!(
                "<li><span class=\"swatch line-{index}\" aria-hidden=\"true\"></span>{}</li>",
                escape(line.name)
            )
        });
        format!("<ul class=\"legend\">{}</ul>", entries.collect::<String>())
    }
}

/// Values at the edges.
struct Frame {
    x: (f64, f64),
    y: (f64, f64),
}

impl Frame {
    fn x(&self, value: f64) -> f64 {
        LEFT + share(value, self.x) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, value: f64) -> f64 {
        HEIGHT - BOTTOM - share(value, self.y) * (HEIGHT - TOP - BOTTOM)
    }
}

/// Where a value is between two others, from 0 to 1.
fn share(value: f64, (from, to): (f64, f64)) -> f64 {
    if to > from {
        ((value - from) / (to - from)).clamp(0.0, 1.0)
    } else {
        0.5
    }
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .filter(|value| value.is_finite())
        .fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((value.min(low), value.max(high))),
        })
}

/// Round values around all that is shown.
fn ticks(scale: Scale, low: f64, high: f64) -> Vec<f64> {
    match scale {
        Scale::Linear => {
            let high = if high > 0.0 { high } else { 1.0 };
            let step = round_step(high / 4.0);
            let count = (high / step).ceil() as u32;
            (0..=count).map(|index| f64::from(index) * step).collect()
        }
        Scale::Logarithmic => {
            let first = low.max(f64::MIN_POSITIVE).log10().floor() as i32;
            let last = (high.max(low).log10().ceil() as i32).max(first + 1);
            (first..=last).map(|exponent| 10_f64.powi(exponent)).collect()
        }
    }
}

/// 1, 2 or 5 and zeros, at least as much.
fn round_step(step: f64) -> f64 {
    let decade = 10_f64.powf(step.log10().floor());
    let found = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * decade >= step);
    found.unwrap_or(10.0) * decade
}

fn number(value: f64) -> String {
    match value {
        _ if value >= 1e6 => format!("{} M", value / 1e6),
        _ if value >= 1e4 => format!("{} k", value / 1e3),
        _ => format!("{}", (value * 1e6).round() / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(points: Vec<(f64, f64)>, scale: Scale) -> Chart {
        Chart {
            id: "c".into(),
            title: "a < b".into(),
            description: "d & e".into(),
            x_label: "x",
            y_label: "y",
            x_ticks: Vec::new(),
            scale,
            lines: vec![Line { name: "one", points }],
        }
    }

    #[test]
    fn a_chart_has_a_title_and_a_description_and_escapes_them() {
        let svg = chart(vec![(0.0, 1.0), (1.0, 2.0)], Scale::Linear).svg();
        assert!(svg.contains("<title id=\"c-title\">a &lt; b</title>"), "{svg}");
        assert!(svg.contains("<desc id=\"c-desc\">d &amp; e</desc>"));
        assert!(svg.contains("role=\"img\"") && svg.contains("<polyline"));
    }

    #[test]
    fn nothing_to_show_is_no_chart() {
        assert_eq!(chart(Vec::new(), Scale::Linear).svg(), "");
        assert_eq!(chart(vec![(0.0, f64::NAN)], Scale::Linear).svg(), "");
    }

    #[test]
    fn a_single_point_is_within_the_frame() {
        let svg = chart(vec![(3.0, 0.0)], Scale::Linear).svg();
        assert!(svg.contains("points=\"388.0,252.0\""), "{svg}");
    }

    #[test]
    fn ticks_are_round_and_around_everything() {
        assert_eq!(
            ticks(Scale::Linear, 3.0, 17_300.0),
            [0.0, 5_000.0, 10_000.0, 15_000.0, 20_000.0]
        );
        assert_eq!(ticks(Scale::Logarithmic, 0.03, 4.0), [0.01, 0.1, 1.0, 10.0]);
        assert_eq!(ticks(Scale::Logarithmic, 1.0, 1.0), [1.0, 10.0]);
        assert_eq!(round_step(0.3), 0.5);
    }

    #[test]
    fn large_numbers_are_short() {
        assert_eq!(
            [0.01, 500.0, 20_000.0, 1.5e6].map(number),
            ["0.01", "500", "20 k", "1.5 M"]
        );
    }
}
