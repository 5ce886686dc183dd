//! Goods by department: what they are called, what they cost, how they are sold.

/// How goods are sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sold {
    /// By the piece.
    Piece,
    /// By weight.
    Weighed,
}

/// Goods: name, least and greatest price in cents, how they are sold, their tax; none leaves it to
/// the department.
pub type Goods = (&'static str, i64, i64, Sold, Option<&'static str>);

use Sold::{Piece, Weighed};

const BAKERY: &[Goods] = &[
    ("BARRA DE PAN", 60, 140, Piece, Some("IVA0")),
    ("PAN DE MOLDE", 120, 290, Piece, Some("IVA0")),
    ("HOGAZA GALLEGA", 240, 420, Piece, Some("IVA0")),
    ("CRUASÁN DE MANTEQUILLA", 90, 180, Piece, Some("IVA10")),
    ("NAPOLITANA DE CHOCOLATE", 110, 190, Piece, Some("IVA10")),
    ("ENSAIMADA MALLORQUINA", 150, 1490, Piece, Some("IVA10")),
    ("EMPANADA DE ATÚN", 390, 990, Piece, Some("IVA10")),
    ("MAGDALENAS", 180, 350, Piece, Some("IVA10")),
    ("ROSQUILLAS DE ANÍS", 220, 480, Piece, None),
    ("TARTA DE SANTIAGO", 890, 1890, Piece, Some("IVA10")),
];

const BUTCHER: &[Goods] = &[
    ("CHULETÓN DE VACA", 1990, 3890, Weighed, None),
    ("SOLOMILLO DE CERDO", 790, 1290, Weighed, Some("IVA10")),
    ("PECHUGA DE POLLO", 590, 990, Weighed, Some("IVA10")),
    ("CARNE PICADA MIXTA", 690, 1090, Weighed, None),
    ("CORDERO LECHAL", 1590, 2490, Weighed, Some("IVA10")),
    ("HAMBURGUESAS DE TERNERA", 350, 790, Piece, Some("IVA10")),
    ("LONGANIZA FRESCA", 690, 1190, Weighed, None),
    ("HUEVOS CAMPEROS", 210, 420, Piece, Some("IVA0")),
    ("CARBÓN VEGETAL", 390, 890, Piece, Some("IVA21")),
];

const DELI: &[Goods] = &[
    ("JAMÓN IBÉRICO", 3900, 9900, Weighed, Some("IVA10")),
    ("JAMÓN SERRANO", 1290, 2490, Weighed, None),
    ("QUESO MANCHEGO CURADO", 1390, 2690, Weighed, Some("IVA4")),
    ("QUESO DE TETILLA", 990, 1590, Weighed, Some("IVA4")),
    ("CHORIZO DE LEÓN", 790, 1690, Weighed, None),
    ("LOMO EMBUCHADO", 2190, 3990, Weighed, Some("IVA10")),
    ("ACEITE DE OLIVA VIRGEN EXTRA", 690, 1290, Piece, Some("IVA5")),
    ("PASTA FRESCA RELLENA", 220, 490, Piece, Some("IVA5")),
    ("LECHE ENTERA", 85, 140, Piece, Some("IVA0")),
    ("VINO DE RIOJA CRIANZA", 490, 1990, Piece, Some("IVA21")),
];

const FISH: &[Goods] = &[
    ("MERLUZA DE PINCHO", 1490, 2490, Weighed, None),
    ("BOQUERÓN FRESCO", 490, 890, Weighed, Some("IVA10")),
    ("SALMÓN NORUEGO", 1190, 1890, Weighed, Some("IVA10")),
    ("PULPO COCIDO", 2190, 3490, Weighed, None),
    ("GAMBA ROJA DE DÉNIA", 4900, 9900, Weighed, Some("IVA10")),
    ("MEJILLÓN DE GALICIA", 290, 490, Weighed, Some("IVA10")),
    ("BACALAO DESALADO", 1290, 1990, Weighed, None),
    ("CAZÓN EN ADOBO", 990, 1490, Weighed, Some("IVA10")),
    ("SURIMI EN BARRITAS", 190, 390, Piece, Some("IVA10")),
];

const FRUIT: &[Goods] = &[
    ("PLÁTANO DE CANARIAS", 190, 320, Weighed, Some("IVA0")),
    ("LIMÓN", 150, 280, Weighed, Some("IVA0")),
    ("TOMATE RAF", 390, 690, Weighed, None),
    ("PIMIENTO DE PADRÓN", 490, 890, Weighed, None),
    ("AGUACATE", 390, 690, Weighed, Some("IVA0")),
    ("PIÑA", 190, 390, Piece, Some("IVA0")),
    ("CHAMPIÑÓN LAMINADO", 150, 240, Piece, Some("IVA0")),
    ("ZUMO DE NARANJA EXPRIMIDO", 290, 490, Piece, Some("IVA10")),
    ("TURRÓN DE JIJONA", 590, 1290, Piece, Some("IVA10")),
];

const HOUSEHOLD: &[Goods] = &[
    ("SARTÉN ANTIADHERENTE", 1290, 3990, Piece, Some("IVA21")),
    ("CAFETERA ITALIANA", 1490, 2990, Piece, Some("IVA21")),
    ("PAÑO DE COCINA", 190, 490, Piece, Some("IVA21")),
    ("LEJÍA CON DETERGENTE", 140, 290, Piece, Some("IVA21")),
    ("CHAMPÚ FAMILIAR", 290, 590, Piece, Some("IVA21")),
    ("PAÑALES", 790, 1690, Piece, Some("IVA21")),
    ("CUADERNO DE ESPIRAL", 150, 390, Piece, None),
    ("LIBRO DE BOLSILLO", 790, 1290, Piece, Some("IVA4")),
    ("BOMBILLA LED", 290, 790, Piece, Some("IVA21")),
];

/// In the order of the departments.
pub const GOODS: [&[Goods]; 6] = [BAKERY, BUTCHER, DELI, FISH, FRUIT, HOUSEHOLD];

/// What tells one of several such goods from another.
pub const KINDS: [&str; 12] = [
    "",
    "SELECCIÓN",
    "EXTRA",
    "ECOLÓGICO",
    "DE LA CASA",
    "TRADICIONAL",
    "SIN SAL",
    "DEL PAÍS",
    "PREMIUM",
    "ARTESANO",
    "LIGERO",
    "AÑADA",
];

/// Sizes, for goods by the piece.
pub const SIZES: [&str; 6] = ["", "100 G", "250 G", "500 G", "1 KG", "PACK 2"];
