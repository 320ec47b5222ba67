//! Reads a document's JSON as its form has it: an object for an object, a word for a word.
//!
//! What serde derives takes an array for an object as well, its members in order, and
//! `{"accepted":null}` for `"accepted"`. Readers in other languages take neither: one unit could
//! write a report that every Rust node accepts and that no other verifier can read, and everything
//! above it with it. [`Strict`] stands around a deserializer and all that it gives, and asks for a map
//! where a struct is to be read, and for a string where one of a few words is.

use std::fmt;

use serde::Deserialize;
use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

/// The document that a JSON text holds.
///
/// # Errors
/// Whatever is not of the document's form.
pub(crate) fn from_json<'de, T: Deserialize<'de>>(json: &'de str) -> serde_json::Result<T> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let document = T::deserialize(Strict(&mut deserializer))?;
    deserializer.end()?;
    Ok(document)
}

/// A deserializer, or what it gives, that reads strictly.
struct Strict<T>(T);

macro_rules! forward {
    ($($method:ident)+) => { $(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.0.$method(Strict(visitor))
        }
    )+ };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    forward! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32
        deserialize_i64 deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
        deserialize_option deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Strict(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Strict(visitor))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(len, Strict(visitor))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, len, Strict(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Strict(visitor))
    }

    /// No word of a document carries anything with it.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let word = String::deserialize(self.0)?;
        let word: StringDeserializer<D::Error> = word.into_deserializer();
        visitor.visit_enum(word)
    }
}

macro_rules! visit {
    ($($method:ident($type:ty))+) => { $(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        }
    )+ };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visit! {
        visit_bool(bool) visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128)
        visit_f64(f64) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Strict(map))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(inner))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Strict(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Strict(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::receipt::Decision;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        a: i64,
        b: (u64, String),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        inner: Inner,
        list: Vec<Inner>,
        perhaps: Option<Inner>,
        map: BTreeMap<String, Inner>,
        word: Decision,
    }

    const INNER: &str = r#"{"a":-1,"b":[2,"县"]}"#;

    /// An outer object whose parts are these.
    fn outer(inner: &str, list: &str, perhaps: &str, map: &str, word: &str) -> String {
        format!(
            r#"{{"inner":{inner},"list":[{list}],"perhaps":{perhaps},"map":{{"k":{map}}},"word":{word}}}"#
        )
    }

    #[test]
    fn an_object_is_read_wherever_it_stands() {
        let json = outer(INNER, INNER, INNER, INNER, "\"accepted\"");
        assert_eq!(
            from_json::<Outer>(&json).unwrap(),
            serde_json::from_str::<Outer>(&json).unwrap()
        );
        let json = outer(INNER, "", "null", INNER, "\"returned\"");
        assert_eq!(from_json::<Outer>(&json).unwrap().perhaps, None);
    }

    #[test]
    fn an_array_is_no_object_and_an_object_is_no_word() {
        let (array, word) = (r#"[-1,[2,"县"]]"#, "\"accepted\"");
        for json in [
            outer(array, INNER, INNER, INNER, word),
            outer(INNER, array, INNER, INNER, word),
            outer(INNER, INNER, array, INNER, word),
            outer(INNER, INNER, INNER, array, word),
            outer(INNER, INNER, INNER, INNER, r#"{"accepted":null}"#),
        ] {
            assert!(serde_json::from_str::<Outer>(&json).is_ok(), "{json}");
            assert!(from_json::<Outer>(&json).is_err(), "{json}");
        }
        let unknown = outer(INNER, INNER, INNER, INNER, "\"gone\"");
        let behind = format!("{} 1", outer(INNER, INNER, INNER, INNER, word));
        for json in [unknown, behind] {
            assert!(from_json::<Outer>(&json).is_err(), "{json}");
        }
    }
}
