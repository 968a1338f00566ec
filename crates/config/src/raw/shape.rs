//! Values that may be written in several shapes: a text, a number, a flag, a list or a table.
//!
//! An untagged enum of serde would do, but it forgets where things are written and answers every mistake with the
//! same sentence. Here the shape of the text picks the variant, and errors inside it stay what they are.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, MapAccess, SeqAccess, Unexpected, Visitor};

/// A type with several shapes. What is not overridden is refused as "expected …".
pub(crate) trait Shape: Sized {
    /// What may be written, for the error message.
    const EXPECTED: &'static str;

    /// From a text.
    fn from_text<E: Error>(text: &str) -> Result<Self, E> {
        Err(refuse::<Self, E>(Unexpected::Str(text)))
    }
    /// From a whole number.
    fn from_number<E: Error>(number: i64) -> Result<Self, E> {
        Err(refuse::<Self, E>(Unexpected::Signed(number)))
    }
    /// From a number with a fraction.
    fn from_fraction<E: Error>(number: f64) -> Result<Self, E> {
        Err(refuse::<Self, E>(Unexpected::Float(number)))
    }
    /// From `true` or `false`.
    fn from_flag<E: Error>(flag: bool) -> Result<Self, E> {
        Err(refuse::<Self, E>(Unexpected::Bool(flag)))
    }
    /// From a list.
    fn from_list<'de, A: SeqAccess<'de>>(_list: A) -> Result<Self, A::Error> {
        Err(refuse::<Self, A::Error>(Unexpected::Seq))
    }
    /// From a table.
    fn from_table<'de, A: MapAccess<'de>>(_table: A) -> Result<Self, A::Error> {
        Err(refuse::<Self, A::Error>(Unexpected::Map))
    }
}

/// The error for a shape that `T` does not have.
pub(crate) fn refuse<T: Shape, E: Error>(found: Unexpected<'_>) -> E {
    E::invalid_type(found, &T::EXPECTED)
}

/// The visitor of a [`Shape`].
pub(crate) struct ShapeVisitor<T>(PhantomData<T>);

impl<T> ShapeVisitor<T> {
    /// A visitor.
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Shape> Visitor<'de> for ShapeVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTED)
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text)
    }
    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::from_number(number)
    }
    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        T::from_fraction(number)
    }
    fn visit_bool<E: Error>(self, flag: bool) -> Result<T, E> {
        T::from_flag(flag)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<T, A::Error> {
        T::from_list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<T, A::Error> {
        T::from_table(table)
    }
}

/// `Deserialize` for a [`Shape`].
macro_rules! read_by_shape {
    ($($type:ty),+ $(,)?) => { $(
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(crate::raw::shape::ShapeVisitor::<$type>::new())
            }
        }
    )+ };
}
pub(crate) use read_by_shape;
