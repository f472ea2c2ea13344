#!/usr/bin/env python3
"""Write orders.csv and orders.jsonl beside this file: made-up orders of a shop, the same ones each time.

The CSV file is awkward on purpose where real ones are: names beyond ASCII, fields with commas, quotes and line
breaks in them, empty fields, orders of the same millisecond.
"""
import csv
import json
import pathlib
import random

FOLDER = pathlib.Path(__file__).resolve().parent
ORDERS = 2400
SAMPLE = 120
COLUMNS = ["order_id", "time_ms", "customer", "country", "items", "amount", "currency", "note"]

COUNTRIES = {
    "DE": ("EUR", ["Jürgen Groß", "Käthe Müller", "Anneliese Schäfer", "Björn Weiß"]),
    "FR": ("EUR", ["Éloïse Lefèvre", "François Noël", "Zoé Garçon"]),
    "ES": ("EUR", ["Íñigo Núñez", "María Peña", "Begoña Ibáñez"]),
    "PL": ("PLN", ["Łukasz Wójcik", "Małgorzata Żak", "Świętosław Gąsior"]),
    "CZ": ("CZK", ["Jiří Dvořák", "Božena Němcová"]),
    "TR": ("TRY", ["Şebnem Çağlar", "İsmail Öztürk"]),
    "GR": ("EUR", ["Ελένη Παπαδοπούλου", "Γιώργος Νικολάου"]),
    "UA": ("UAH", ["Оксана Шевченко", "Тарас Ковальчук"]),
    "CN": ("CNY", ["王小明", "李娜", "张伟"]),
    "JP": ("JPY", ["佐藤花子", "鈴木一郎"]),
    "IN": ("INR", ["अनिता शर्मा", "Ravi Kumar"]),
    "US": ("USD", ["Ann \"Annie\" O'Neil", "Smith, John Jr.", "Grace Hopper"]),
    "GB": ("GBP", ["Siân Llewelyn", "Brown, Emma"]),
}
GOODS = ["tea, green", "tea, black", "coffee", "cup", "pot 1.5 l", "kettle", "honey", "biscuits", "sugar, brown",
         "12\" tray", "napkins", "spoon", "filter No. 4", "milk jug"]
NOTES = ["", "", "", "", "", "gift", "leave it with the neighbour, please", "ring \"twice\"", "née Gruß ☕",
         "first line\nsecond line", "urgent"]


def customers(dice):
    people = [(name, country) for country, (_, names) in COUNTRIES.items() for name in names]
    dice.shuffle(people)
    # A few regulars order most: weights fall as 1/rank.
    return people, [1.0 / rank for rank in range(1, len(people) + 1)]


def make_orders():
    dice = random.Random(20210921)
    people, weights = customers(dice)
    time_ms = 1_600_000_000_000
    for number in range(1, ORDERS + 1):
        # Three quiet stretches, and now and then a rush of the same millisecond.
        quiet = 25 if number % 800 == 0 else 0
        time_ms += quiet + dice.choice([0, 0, 0, 0, 0, 0, 1, 1, 1, 2])
        name, country = dice.choices(people, weights)[0]
        items = "; ".join(f"{dice.randint(1, 4)} x {thing}" for thing in dice.sample(GOODS, dice.randint(1, 4)))
        cents = dice.randint(199, 24999)
        yield [f"o-{number:05d}", time_ms, name, country, items, f"{cents // 100}.{cents % 100:02d}",
               COUNTRIES[country][0], dice.choice(NOTES)]


def main():
    orders = list(make_orders())
    with open(FOLDER / "orders.csv", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(orders)
    with open(FOLDER / "orders.jsonl", "w", encoding="utf-8") as file:
        for order in orders[:SAMPLE]:
            row = dict(zip(COLUMNS, order))
            row["amount"] = float(row["amount"])
            row["items"] = row["items"].split("; ")
            if not row["note"]:
                del row["note"]
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
