//! Small bar charts as SVG: one series, its last bar still growing. Pure.

use super::words::escape;

const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 72.0;

/// `said` is what a reader who sees no picture is told.
pub fn bars(points: &[i64], said: &str) -> String {
    let most = points.iter().copied().max().unwrap_or(0).max(1) as f64;
    let step = WIDTH / points.len().max(1) as f64;
    let mut out = format!(
        "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
         aria-label=\"{}\"><line x1=\"0\" y1=\"{}\" x2=\"{WIDTH}\" y2=\"{}\"/>",
        escape(said),
        HEIGHT - 0.5,
        HEIGHT - 0.5
    );
    for (place, point) in points.iter().enumerate().filter(|(_, point)| **point > 0) {
        // Even a single one is to be seen beside thousands.
        let height = (*point as f64 / most * (HEIGHT - 4.0)).max(2.0);
        let now = if place + 1 == points.len() { " class=\"now\"" } else { "" };
        out.push_str(&format!(
            "<rect{now} x=\"{:.2}\" y=\"{:.2}\" width=\"{:.2}\" height=\"{height:.2}\"/>",
            place as f64 * step + step * 0.1,
            HEIGHT - 1.0 - height,
            step * 0.8
        ));
    }
    out.push_str("</svg>");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_count_shows_and_none_leaves_the_picture() {
        let svg = bars(&[0, 1, 100_000], "Events <now>");
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains("height=\"2.00\"") && svg.contains("height=\"68.00\"") && svg.contains("&lt;now&gt;"));
        assert!(!bars(&[], "nothing").contains("<rect"));
    }
}
