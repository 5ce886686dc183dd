-- The layout of the legacy program, as a profile says it.

create temp table legacy as select '{"fields": [
    {"name": "barcode",        "length": 13, "align": "right", "pad": "0"},
    {"name": "description",    "length": 20, "align": "left",  "pad": " "},
    {"name": "price", "type": "price", "length": 8, "align": "right", "pad": "0"},
    {"name": "quantity", "type": "quantity", "decimals": 3, "length": 7, "align": "right", "pad": "0"},
    {"name": "departmentCode", "length": 3,  "align": "right", "pad": "0"},
    {"name": "timestamp", "format": "ddMMyy", "length": 6}]}'::jsonb as profile;
