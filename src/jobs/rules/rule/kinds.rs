//! What each kind of rule looks at.

use std::sync::Arc;

use super::RuleReader;
use crate::jobs::column::{Shape, TimeForm};
use crate::jobs::expression::{Expr, Literal};
use crate::jobs::fields::Fields;
use crate::jobs::finding::Code;
use crate::jobs::lookup::List;
use crate::jobs::pattern::Pattern;
use crate::jobs::rules::model::{Check, REMEMBERED};
use crate::jobs::rules::predicate;
use crate::jobs::value::{Comparison, Type, Value};
use crate::jobs::yaml::{Kind, Node};

/// Longer lists belong into a file (`lookup`).
const LONGEST_LIST: usize = 1000;

impl RuleReader<'_> {
    pub(super) fn check(&self, kind: &str, fields: &Fields<'_, '_>) -> Option<Check> {
        let fails = match kind {
            "json" => predicate::json(),
            "required" => predicate::required(self.column("column", fields)?.0),
            "not_null" => self.not_null(self.column("column", fields)?.0),
            "type" => predicate::type_of(self.column("column", fields)?.0),
            "range" => self.range(fields)?,
            "length" => self.length(fields)?,
            "enum" => self.values(fields).map(|(column, list)| predicate::enumeration(column, list))?,
            "not_in" => self.values(fields).map(|(column, list)| predicate::not_in(column, list))?,
            "regex" => self.regex(fields)?,
            "freshness" | "future" => self.time(kind, fields)?,
            "compare" => self.compare(fields)?,
            "expression" => {
                let text = fields.required_text("expression")?;
                self.expression(&text)?.negated()
            }
            "unique" => return self.unique(fields),
            "lookup" => return self.lookup(fields, false),
            "lookup_not_in" => return self.lookup(fields, true),
            _ => return None,
        };
        Some(Check::Fails(fails))
    }

    fn range(&self, fields: &Fields<'_, '_>) -> Option<Expr> {
        let (column, shape) = self.column("column", fields)?;
        let ordered = !matches!(shape.value_type(), Type::Text | Type::Boolean | Type::Opaque);
        if !ordered {
            let message =
                format!("range: {} has no range; use length, enum or expression", shape.value_type());
            self.wrong(fields.place(), Code::Rule, message);
            return None;
        }
        let bound = |key: &str| match fields.get(key) {
            None => Some(None),
            Some(node) => self.literal(key, shape, node).map(|literal| Some(Expr::Literal(literal))),
        };
        let (least, most) = (bound("min"), bound("max"));
        let (least, most) = (least?, most?);
        let exclusive = fields.boolean("exclusive").unwrap_or(false);
        self.in_order(fields, (least.as_ref(), most.as_ref()), exclusive);
        self.bounded(fields, predicate::range(column, least, most, exclusive))
    }

    /// Between bounds that are the wrong way round there is no value: the rule would refuse every record.
    fn in_order(&self, fields: &Fields<'_, '_>, bounds: (Option<&Expr>, Option<&Expr>), exclusive: bool) {
        let (Some(Expr::Literal(least)), Some(Expr::Literal(most))) = bounds else { return };
        let by = if exclusive { Comparison::Less } else { Comparison::LessOrEqual };
        if !by.holds(&least.value(), &most.value()) {
            let place = fields.get("max").map_or(fields.place(), |node| node.place);
            self.wrong(place, Code::Value, "max: there is no value from min to max");
        }
    }

    fn bounded(&self, fields: &Fields<'_, '_>, predicate: Option<Expr>) -> Option<Expr> {
        if predicate.is_none() {
            self.wrong(fields.place(), Code::MissingKey, "min or max is missing");
        }
        predicate
    }

    fn length(&self, fields: &Fields<'_, '_>) -> Option<Expr> {
        let column = self.column_of(fields, Type::Text);
        let bound = |key: &str| match fields.get(key) {
            None => Some(None),
            Some(_) => {
                let number = i64::try_from(fields.integer(key, 0, 1 << 31)?).ok()?;
                Some(Some(Expr::Literal(Literal::Integer(number))))
            }
        };
        let (least, most) = (bound("min"), bound("max"));
        let (least, most) = (least?, most?);
        self.in_order(fields, (least.as_ref(), most.as_ref()), false);
        self.bounded(fields, predicate::length(column?, least, most))
    }

    /// The value of a column's type that a node of the file stands for: a text as records have it.
    fn literal(&self, key: &str, shape: Shape, node: &Node) -> Option<Literal> {
        let text = match (&node.kind, shape.value_type()) {
            (Kind::Number(text), Type::Integer | Type::Decimal | Type::Double) => Some(text.clone()),
            (Kind::Text(text), Type::Text | Type::Timestamp | Type::Date | Type::Time) => Some(text.clone()),
            (Kind::Boolean(on), Type::Boolean) => Some(on.to_string()),
            _ => None,
        };
        let value =
            text.and_then(|text| shape.with_form(TimeForm::Iso8601).read(text.into()).map(Value::into_owned));
        let literal = match value {
            Some(Value::Text(text)) => Some(Literal::Text(text.into_owned())),
            Some(Value::Integer(number)) => Some(Literal::Integer(number)),
            Some(Value::Decimal(number)) => Some(Literal::Decimal(number)),
            Some(Value::Double(number)) => Some(Literal::Double(number)),
            Some(Value::Boolean(on)) => Some(Literal::Boolean(on)),
            Some(Value::Timestamp(ms)) => Some(Literal::Timestamp(ms)),
            Some(Value::Date(days)) => Some(Literal::Date(days)),
            Some(Value::Time(ns)) => Some(Literal::Time(ns)),
            Some(Value::Opaque(_)) | None => None,
        };
        if literal.is_none() {
            let expected = match shape.value_type() {
                Type::Text => {
                    "a text of the column's type (in quotes where YAML would take it for something else)"
                }
                Type::Integer | Type::Decimal => "a number that the column can hold",
                Type::Double => "a number",
                Type::Boolean => "true or false",
                Type::Timestamp => "a timestamp ('2025-01-31T12:00:00Z')",
                Type::Date => "a date ('2025-01-31')",
                Type::Time => "a time ('12:00:00')",
                Type::Opaque => "no value: rules do not look into this type",
            };
            self.wrong(node.place, Code::Value, format!("{key}: expected {expected}"));
        }
        literal
    }

    fn values(&self, fields: &Fields<'_, '_>) -> Option<(usize, Vec<Literal>)> {
        let (column, shape) = self.column("column", fields)?;
        if matches!(shape.value_type(), Type::Double | Type::Opaque) {
            let message =
                format!("a list of values cannot be compared with {}: use range", shape.value_type());
            self.wrong(fields.place(), Code::Rule, message);
            return None;
        }
        fields.required("values")?;
        let nodes = fields.list("values")?;
        if nodes.len() > LONGEST_LIST {
            let message = format!("values: more than {LONGEST_LIST}; write them into a file and use lookup");
            self.wrong(fields.place(), Code::Value, message);
            return None;
        }
        let literals: Vec<Literal> =
            nodes.iter().filter_map(|node| self.literal("values", shape, node)).collect();
        (literals.len() == nodes.len()).then_some((column, literals))
    }

    fn regex(&self, fields: &Fields<'_, '_>) -> Option<Expr> {
        let column = self.column_of(fields, Type::Text);
        let text = fields.required_text("pattern")?;
        match Pattern::new(&text.value) {
            Ok(pattern) => Some(predicate::regex(column?, pattern)),
            Err(why) => {
                self.wrong(text.place, Code::Regex, format!("pattern: {why}"));
                None
            }
        }
    }

    fn time(&self, kind: &str, fields: &Fields<'_, '_>) -> Option<Expr> {
        let column = self.column_of(fields, Type::Timestamp);
        let key = if kind == "freshness" { "max_age" } else { "tolerance" };
        fields.required(key)?;
        let seconds = i32::try_from(fields.seconds(key)?).ok()?;
        let predicate = if kind == "freshness" { predicate::freshness } else { predicate::future };
        Some(predicate(column?, seconds))
    }

    fn compare(&self, fields: &Fields<'_, '_>) -> Option<Expr> {
        let (column, shape) = self.column("column", fields)?;
        fields.required("op")?;
        let word = fields.word("op", &Comparison::ALL.map(Comparison::sql))?;
        let by = Comparison::ALL.into_iter().find(|by| by.sql() == word.value)?;
        let right = match (fields.get("with"), fields.get("value")) {
            (Some(_), None) => {
                let (other, other_shape) = self.column("with", fields)?;
                if other_shape.value_type() != shape.value_type() {
                    let message = format!(
                        "compare: {} and {}; an expression rule says how they compare",
                        shape.value_type(),
                        other_shape.value_type()
                    );
                    self.wrong(fields.place(), Code::Rule, message);
                    return None;
                }
                Expr::Column(other)
            }
            (None, Some(node)) => Expr::Literal(self.literal("value", shape, node)?),
            _ => {
                self.wrong(fields.place(), Code::MissingKey, "compare: give with (a column) or value");
                return None;
            }
        };
        let value_type = shape.value_type();
        let comparable = match value_type {
            Type::Opaque => false,
            Type::Boolean => by.is_equality(),
            _ => true,
        };
        if !comparable {
            self.wrong(fields.place(), Code::Rule, format!("compare: {value_type} has no {}", by.sql()));
            return None;
        }
        Some(Expr::compare(by, Expr::Column(column), right).negated())
    }

    fn unique(&self, fields: &Fields<'_, '_>) -> Option<Check> {
        let names = fields.required_texts("columns")?;
        let columns: Vec<(usize, Shape)> =
            names.iter().filter_map(|name| self.column_named("columns", name)).collect();
        if columns.len() < names.len() {
            return None;
        }
        if columns.iter().any(|(_, shape)| matches!(shape.value_type(), Type::Double | Type::Opaque)) {
            self.wrong(
                fields.place(),
                Code::Rule,
                "unique: doubles and collections are not compared for equality",
            );
            return None;
        }
        fields.required("within")?;
        let within_s = fields.seconds("within")?;
        let most = match fields.get("max_values") {
            None => REMEMBERED.0,
            Some(_) => fields.integer("max_values", 1, REMEMBERED.1)?,
        };
        let columns = columns.into_iter().map(|(number, _)| number).collect();
        Some(Check::Unique { columns, within_s, most: usize::try_from(most).ok()? })
    }

    fn lookup(&self, fields: &Fields<'_, '_>, denied: bool) -> Option<Check> {
        let column = self.column_of(fields, Type::Text);
        let file = fields.required_text("file")?;
        let shape =
            column.and_then(|column| self.columns.get(column)).map_or(Shape::Text, |column| column.shape);
        match List::read(self.folder, &file.value, shape) {
            Ok(list) => Some(Check::Lookup { column: column?, list: Arc::new(list), denied }),
            Err(error) => {
                self.wrong(file.place, Code::File, format!("file: {}: {error}", file.value));
                None
            }
        }
    }
}
