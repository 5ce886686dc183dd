//! Names of places in Spain, and of companies.

/// Places with a store. Those whose name is followed by `true` are on the Canary Islands.
pub const PLACES: [(&str, bool); 40] = [
    ("Alcalá de Henares", false),
    ("Santa Cruz de Tenerife", true),
    ("A Coruña", false),
    ("Cáceres", false),
    ("Logroño", false),
    ("Vitoria-Gasteiz", false),
    ("L'Hospitalet de Llobregat", false),
    ("Jerez de la Frontera", false),
    ("Málaga", false),
    ("Peñíscola", false),
    ("Las Palmas de Gran Canaria", true),
    ("Almería", false),
    ("Castelló de la Plana", false),
    ("Donostia", false),
    ("Gijón", false),
    ("Móstoles", false),
    ("Alcorcón", false),
    ("Sant Cugat del Vallès", false),
    ("Écija", false),
    ("Úbeda", false),
    ("Ávila", false),
    ("León", false),
    ("Cartagena", false),
    ("Badajoz", false),
    ("San Cristóbal de La Laguna", true),
    ("Torrelavega", false),
    ("Lleida", false),
    ("Elche", false),
    ("Palma", false),
    ("Maó", false),
    ("Pontevedra", false),
    ("Burgos", false),
    ("Huelva", false),
    ("Zaragoza", false),
    ("Cádiz", false),
    ("Ourense", false),
    ("Villanueva de la Cañada", false),
    ("Arrecife", true),
    ("Sagunto", false),
    ("Coslada", false),
];

/// A department: its code, its name, who leases it, and the tax of what is sold there without one.
pub type DepartmentWords = (&'static str, &'static str, Option<&'static str>, Option<&'static str>);

pub const DEPARTMENTS: [DepartmentWords; 6] = [
    ("01", "Panadería", Some("Panadería Ortega SL"), Some("IVA4")),
    ("02", "Carnicería", Some("Carnes Vidal SL"), Some("IVA10")),
    ("03", "Charcutería", Some("Charcutería Moya SL"), Some("IVA10")),
    ("04", "Pescadería", Some("Pescados Ruiz SL"), Some("IVA10")),
    ("05", "Frutería", None, Some("IVA0")),
    // Nobody has said what is taxed there how.
    ("06", "Bazar", Some("Menaje Núñez e Hijos SL"), None),
];
