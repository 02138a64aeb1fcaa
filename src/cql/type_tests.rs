//! Type texts: as Cassandra prints them, as it does not, and as nobody should.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::type_expr::{Resolved, TypeExpr, user_type};
use super::type_grammar::{MAX_DEPTH, parse};
use super::types::{CqlType, UserType};
use super::{TypeError, ident};

/// Resolves with user-defined types of those names, each with the field `f int`.
fn resolve_with(text: &str, names: &[&str]) -> Result<CqlType, TypeError> {
    let mut lookup = |_: Option<&str>, name: &str| {
        if !names.contains(&name) {
            return Err(TypeError::UnknownUserType(name.to_owned()));
        }
        Ok(Resolved { value: Arc::new(sample_udt(name)), depth: 2 })
    };
    Ok(parse(text)?.resolve(&mut lookup)?.value)
}

fn sample_udt(name: &str) -> UserType {
    UserType {
        keyspace: "ks".to_owned(),
        name: name.to_owned(),
        fields: vec![("f".to_owned(), CqlType::Int)],
    }
}

fn udt(name: &str, frozen: bool) -> CqlType {
    CqlType::Udt { udt: Arc::new(sample_udt(name)), frozen }
}

fn resolve(text: &str) -> CqlType {
    resolve_with(text, &["addr", "My T", "a<b, c>\"d"]).unwrap_or_else(|e| panic!("{e}"))
}

fn list(element: CqlType, frozen: bool) -> CqlType {
    CqlType::List { element: Arc::new(element), frozen }
}

fn set(element: CqlType, frozen: bool) -> CqlType {
    CqlType::Set { element: Arc::new(element), frozen }
}

fn map(key: CqlType, value: CqlType, frozen: bool) -> CqlType {
    CqlType::Map { key: Arc::new(key), value: Arc::new(value), frozen }
}

fn vector(element: CqlType, dimension: u32) -> CqlType {
    CqlType::Vector { element: Arc::new(element), dimension }
}

/// Texts of `system_schema.columns.type`, which print as they were.
#[test]
fn reads_and_prints_system_schema_texts() {
    let tuple = CqlType::Tuple(vec![CqlType::Int, CqlType::Text]);
    for (text, expected) in [
        ("int", CqlType::Int),
        ("timeuuid", CqlType::TimeUuid),
        ("empty", CqlType::Empty),
        ("list<text>", list(CqlType::Text, false)),
        ("frozen<list<text>>", list(CqlType::Text, true)),
        ("frozen<map<text, frozen<list<int>>>>", map(CqlType::Text, list(CqlType::Int, true), true)),
        ("set<frozen<tuple<int, text>>>", set(tuple.clone(), false)),
        ("frozen<tuple<int, text>>", tuple.clone()),
        ("\"My T\"", udt("My T", false)),
        ("list<frozen<\"My T\">>", list(udt("My T", true), false)),
        ("frozen<\"a<b, c>\"\"d\">", udt("a<b, c>\"d", true)),
        ("map<int, frozen<addr>>", map(CqlType::Int, udt("addr", true), false)),
        ("vector<float, 3>", vector(CqlType::Float, 3)),
        ("vector<frozen<list<int>>, 2>", vector(list(CqlType::Int, true), 2)),
        ("'com.example.It''s'", CqlType::Custom("com.example.It's".to_owned())),
    ] {
        let found = resolve(text);
        assert_eq!(found, expected, "{text}");
        assert_eq!(found.to_string(), text);
    }
}

/// Other spellings that CQL accepts.
#[test]
fn reads_spellings_of_ddl() {
    for (text, printed) in [
        ("VARCHAR", "text"),
        (" Map < Text , INT > ", "map<text, int>"),
        ("tuple<int,text>", "frozen<tuple<int, text>>"),
        ("list<list<int>>", "list<frozen<list<int>>>"),
        ("list<addr>", "list<frozen<addr>>"),
        ("ks.ADDR", "addr"),
        ("ks.\"My T\"", "\"My T\""),
        ("frozen<int>", "int"),
        ("vector< float,3 >", "vector<float, 3>"),
    ] {
        assert_eq!(resolve(text).to_string(), printed, "{text}");
    }
}

/// Class texts as `AbstractType.toString` of Cassandra 4.1 and 5.0 gives them.
#[test]
fn maps_classes_onto_cql_types() {
    let p = "org.apache.cassandra.db.marshal";
    for (class, printed) in [
        (format!("{p}.ReversedType({p}.TimestampType)"), "timestamp"),
        (format!("{p}.DateType"), "timestamp"),
        (format!("{p}.LexicalUUIDType"), "uuid"),
        (format!("{p}.Int32Type"), "int"),
        ("UTF8Type".to_owned(), "text"),
        (format!("{p}.FrozenType({p}.ListType({p}.Int32Type))"), "frozen<list<int>>"),
        (format!("{p}.MapType({p}.UTF8Type,{p}.IntegerType)"), "map<text, varint>"),
        (format!("{p}.TupleType({p}.Int32Type, {p}.BytesType)"), "frozen<tuple<int, blob>>"),
        (format!("{p}.VectorType({p}.FloatType , 3)"), "vector<float, 3>"),
        (format!("{p}.FrozenType({p}.UserType(ks,4d792054,66:{p}.Int32Type))"), "frozen<\"My T\">"),
        (format!("{p}.SetType(com.example.Odd)"), "set<'com.example.Odd'>"),
    ] {
        assert_eq!(resolve(&format!("'{class}'")).to_string(), printed, "{class}");
    }
    let inline = format!("'{p}.UserType(ks,4d792054,66:{p}.Int32Type)'");
    assert_eq!(resolve(&inline), udt("My T", false));
}

#[test]
fn keeps_other_classes_as_they_are() {
    for class in [
        "org.apache.cassandra.db.marshal.CompositeType(org.apache.cassandra.db.marshal.UTF8Type,\
         org.apache.cassandra.db.marshal.Int32Type)",
        "org.apache.cassandra.db.marshal.DynamicCompositeType(a=>org.apache.cassandra.db.marshal.AsciiType,\
         b=>org.apache.cassandra.db.marshal.BytesType)",
        "org.apache.cassandra.db.marshal.ListType(a,b)",
        "org.apache.cassandra.db.marshal.UserType(ks,zz,66:Int32Type)",
        "org.apache.cassandra.db.marshal.VectorType(FloatType,0)",
        "no(closing",
        "ünknown",
        "",
    ] {
        let found = resolve(&format!("'{class}'"));
        assert_eq!(found, CqlType::Custom(class.to_owned()));
    }
}

#[test]
fn says_where_a_text_goes_wrong() {
    for (text, column, expected) in [
        ("", 1, "a type"),
        ("list<", 6, "a type"),
        ("list<int", 9, "`<`, `,` or `>`"),
        ("map<int>", 8, "`<`, `,` or `>`"),
        ("int int", 5, "the end of the type"),
        ("ünt", 1, "a type"),
        ("vector<int, 0>", 13, "a number of elements (1 to 2147483647)"),
        ("vector<int, 2147483648>", 13, "a number of elements (1 to 2147483647)"),
        ("\"open", 1, "a type"),
        ("ks.", 4, "the name of a type"),
        ("'open", 1, "a type"),
        ("map<\"é\", 1>", 10, "a type"),
    ] {
        let error = TypeError::Syntax { text: text.to_owned(), column, expected };
        assert_eq!(parse(text), Err(error), "{text}");
    }
}

#[test]
fn unknown_user_types_are_named() {
    assert_eq!(resolve_with("list<frozen<nope>>", &[]), Err(TypeError::UnknownUserType("nope".to_owned())));
}

#[test]
fn refuses_deep_nesting() {
    let nested = |n: usize| format!("{}int{}", "frozen<list<".repeat(n), ">>".repeat(n));
    assert!(parse(&nested(31)).is_ok());
    assert_eq!(parse(&nested(32)), Err(TypeError::TooDeep));
    for hostile in
        ["list<".repeat(1_000_000), format!("{}int{}", "tuple<".repeat(100_000), ">".repeat(100_000))]
    {
        assert_eq!(parse(&hostile), Err(TypeError::TooDeep));
    }
    // A class text that nests too deep is no CQL type; a class inside a type counts with it.
    let class = format!("'{}Int32Type{}'", "ListType(".repeat(99_999), ")".repeat(99_999));
    assert!(matches!(parse(&class), Ok(TypeExpr::Custom(_))));
    let class = format!("'{}Int32Type{}'", "ListType(".repeat(60), ")".repeat(60));
    assert!(parse(&class).is_ok());
    let inside = format!("{}{class}{}", "list<".repeat(9), ">".repeat(9));
    assert_eq!(parse(&inside), Err(TypeError::TooDeep));
}

/// A user-defined type counts with what it contains.
#[test]
fn depth_counts_through_user_types() {
    let mut known: HashMap<String, Resolved<Arc<UserType>>> = HashMap::new();
    for level in 0..MAX_DEPTH {
        let name = format!("t{level}");
        let text = match level {
            0 => "int".to_owned(),
            _ => format!("frozen<t{}>", level - 1),
        };
        let fields = [("f".to_owned(), parse(&text).unwrap())].into_iter();
        let made = user_type("ks", &name, fields, &mut |_, name| Ok(known[name].clone()));
        if level == MAX_DEPTH - 1 {
            assert_eq!(made, Err(TypeError::TooDeep));
            return;
        }
        let made = made.unwrap();
        assert_eq!(made.depth, level + 2);
        let value = Arc::new(made.value);
        known.insert(name, Resolved { value, depth: made.depth });
    }
    panic!("the last level was accepted");
}

/// Any type but user-defined ones inside others must be frozen to be a type of Cassandra.
fn any_type(frozen: bool) -> BoxedStrategy<CqlType> {
    let native =
        prop::sample::select(super::type_grammar::NATIVE.iter().map(|(_, t)| t.clone()).collect::<Vec<_>>());
    let leaf = prop_oneof![
        native,
        "[A-Za-z\"<>, '_0-9é]{1,12}".prop_map(|name| udt(&name, true)),
        "[a-z']{1,9}\\([a-z, ']{0,9}".prop_map(CqlType::Custom),
    ];
    leaf.prop_recursive(5, 40, 4, move |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            inner.clone().prop_map(|e| list(e, true)),
            inner.clone().prop_map(|e| set(e, true)),
            two.prop_map(|(k, v)| map(k, v, true)),
            prop::collection::vec(inner.clone(), 1..5).prop_map(CqlType::Tuple),
            (inner, 1..=2_147_483_647_u32).prop_map(|(e, n)| vector(e, n)),
        ]
    })
    .prop_map(move |found| match found {
        CqlType::List { element, .. } => CqlType::List { element, frozen },
        CqlType::Udt { udt, .. } => CqlType::Udt { udt, frozen },
        other => other,
    })
    .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(13), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn printed_types_read_back(found in prop_oneof![any_type(true), any_type(false)]) {
        let printed = found.to_string();
        let mut lookup = |_: Option<&str>, name: &str| {
            Ok(Resolved { value: Arc::new(sample_udt(name)), depth: 2 })
        };
        let read = parse(&printed).and_then(|e| e.resolve(&mut lookup));
        prop_assert_eq!(read.map(|r| r.value), Ok(found), "{}", printed);
    }

    #[test]
    fn any_text_is_answered(text in "[a-z<>,.'\"() 0-9é]{0,40}") {
        let _ = parse(&text);
    }

    #[test]
    fn any_class_text_is_answered(text in "[A-Za-z(),:=>. ]{0,40}") {
        let expr = parse(&format!("'{text}'"));
        prop_assert!(expr.is_ok());
    }

    #[test]
    fn names_read_back(name in "\\PC{0,20}") {
        let printed = ident::quoted_if_needed(&name).into_owned();
        prop_assert_eq!(ident::identifier(&printed), Ok(("", name)));
    }
}
