//! Rows of views as values. `row!` makes of one list of members the type, its columns in SQL, how
//! it is read, and its schema: no name is written twice.

use tokio_postgres::Row;

/// A value that is read from a row of a view.
pub trait FromRow: Sized {
    fn from_row(row: &Row) -> Result<Self, tokio_postgres::Error>;
}

/// A type whose members are the columns of a view, in this order. `sql!(Type, "select {} from …")`
/// is not needed: `columns!()` of the module has them.
macro_rules! row {
    ($(#[$about:meta])* pub struct $name:ident as $columns:ident { $($(#[$what:meta])* $member:ident: $type:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, Debug, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub struct $name { $($(#[$what])* pub $member: $type,)* }

        impl $crate::database::row::FromRow for $name {
            fn from_row(row: &tokio_postgres::Row) -> Result<Self, tokio_postgres::Error> {
                let mut columns = 0..;
                let mut next = || columns.next().unwrap_or_default();
                Ok(Self { $($member: row.try_get::<usize, $type>(next())?,)* })
            }
        }

        $crate::database::row::column_list!($columns: $($member),*);
    };
}

/// A macro of this name that stands for the columns, separated by commas.
macro_rules! column_list {
    ($columns:ident: $first:ident $(, $more:ident)*) => {
        macro_rules! $columns {
            () => { concat!(stringify!($first) $(, ", ", stringify!($more))*) };
        }
    };
}

pub(crate) use {column_list, row};
