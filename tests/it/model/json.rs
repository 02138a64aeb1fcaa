//! JSON with numbers as they are written: `1.10` and `1E+10` are not the numbers that a parser would make of them. Objects keep
//! double names: Cassandra prints maps with the keys NaN and Infinity so.

use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(super) fn parse(text: &str) -> Self {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value();
        parser.blanks();
        assert_eq!(parser.at, text.len(), "more than one value: {text}");
        value
    }

    pub(super) fn get(&self, name: &str) -> Option<&Self> {
        self.fields().iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// The field, which must be there.
    pub(super) fn at(&self, name: &str) -> &Self {
        self.get(name).unwrap_or_else(|| panic!("no `{name}` in {self}"))
    }

    /// The fields of an object; none of null.
    pub(super) fn fields(&self) -> &[(String, Self)] {
        match self {
            Self::Object(fields) => fields,
            Self::Null => &[],
            other => panic!("no object: {other}"),
        }
    }

    pub(super) fn items(&self) -> &[Self] {
        match self {
            Self::Array(items) => items,
            other => panic!("no array: {other}"),
        }
    }

    pub(super) fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            other => panic!("no text: {other}"),
        }
    }

    pub(super) fn number(&self) -> &str {
        match self {
            Self::Number(text) => text,
            other => panic!("no number: {other}"),
        }
    }

    pub(super) fn integer(&self) -> i64 {
        self.number().parse().unwrap()
    }

    pub(super) fn is_true(&self) -> bool {
        *self == Self::Bool(true)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => write!(f, "null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(text) => write!(f, "{text}"),
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Array(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(","))
            }
            Self::Object(fields) => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value)| format!("{name:?}:{value}")).collect();
                write!(f, "{{{}}}", fields.join(","))
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, word: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(word);
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn value(&mut self) -> Json {
        self.blanks();
        match self.rest().chars().next().unwrap() {
            '{' => self.object(),
            '[' => self.array(),
            '"' => Json::Text(self.string()),
            _ => self.word(),
        }
    }

    fn object(&mut self) -> Json {
        assert!(self.take("{"));
        let mut fields = Vec::new();
        while !self.take("}") {
            assert!(fields.is_empty() || self.take(","), "in {}", self.text);
            self.blanks();
            let name = self.string();
            assert!(self.take(":"), "in {}", self.text);
            fields.push((name, self.value()));
        }
        Json::Object(fields)
    }

    fn array(&mut self) -> Json {
        assert!(self.take("["));
        let mut items = Vec::new();
        while !self.take("]") {
            assert!(items.is_empty() || self.take(","), "in {}", self.text);
            items.push(self.value());
        }
        Json::Array(items)
    }

    /// Texts have no surprises: another parser may read them.
    fn string(&mut self) -> String {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<String>();
        let text = values.next().unwrap().unwrap();
        let read = values.byte_offset();
        self.at += read;
        text
    }

    fn word(&mut self) -> Json {
        let end = self.rest().find([',', ']', '}', ' ']).unwrap_or(self.rest().len());
        let word = self.rest()[..end].to_owned();
        self.at += end;
        match word.as_str() {
            "null" => Json::Null,
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ => {
                assert!(word.parse::<f64>().is_ok(), "no number: {word}");
                Json::Number(word)
            }
        }
    }
}
