//! What a node says of its cassandra.yaml: `system_views.settings`, 4.0 and later.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{CqlSource, Pending};

const TABLE: &str = "system_views.settings";

#[derive(Deserialize)]
struct Row {
    name: String,
    value: Option<String>,
}

impl CqlSource {
    /// Begins to read the setting with this name, or all of them: name → value. One that is null is left out.
    #[must_use]
    pub fn start_settings(&self, name: Option<&'static str>) -> Pending<BTreeMap<String, String>> {
        let all = format!("SELECT JSON name, value FROM {TABLE}");
        let query = name.map_or_else(|| all.clone(), |name| format!("{all} WHERE name = '{name}'"));
        self.start(move |node| async move { Ok(settings(&node.rows(&query, TABLE).await?)) })
    }
}

fn settings(rows: &[String]) -> BTreeMap<String, String> {
    let rows = rows.iter().filter_map(|row| serde_json::from_str::<Row>(row).ok());
    rows.filter_map(|row| Some((row.name, row.value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_as_a_node_prints_them() {
        let rows = [
            r#"{"name": "cdc_enabled", "value": "true"}"#,
            r#"{"name": "authenticator_class", "value": null}"#,
            "no row",
        ];
        let found = settings(&rows.map(str::to_owned));
        assert_eq!(found, BTreeMap::from([("cdc_enabled".to_owned(), "true".to_owned())]));
    }
}
