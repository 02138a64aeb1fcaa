//! Names that somebody may have meant.

/// Names less alike than this are not worth showing.
const ALIKE: f64 = 0.75;

/// Those of the `known` names that are like `name`, the most alike first.
pub fn near_names(name: &str, known: impl IntoIterator<Item = String>) -> Vec<String> {
    alike(name, known, ALIKE)
}

/// The same, at least as alike as `likeness` (0 to 1) says.
pub(super) fn alike(name: &str, known: impl IntoIterator<Item = String>, likeness: f64) -> Vec<String> {
    let mut near: Vec<(f64, String)> = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(name, &known), known))
        .filter(|(alike, _)| *alike >= likeness)
        .collect();
    near.sort_by(|(a, a_name), (b, b_name)| b.total_cmp(a).then_with(|| a_name.cmp(b_name)));
    near.into_iter().map(|(_, name)| name).collect()
}
