#include "scenario_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

static struct sim_scenario *loaded;
static const struct sim_source *source;

/* Write the file, and load a scenario whose thread reads it as told. */
static bool load_bytes(const char *name, const char *bytes, size_t length_bytes, const char *how)
{
    char records[512];
    sim_scenario_release(loaded);
    (void)scenario_file_write(name, bytes, length_bytes);
    snprintf(records, sizeof records, "{\"start_ms\": 2, \"file\": {\"path\": \"%s\"%s}}", name, how);
    loaded = scenario_load_sections(&(struct scenario_sections){.records = records});
    source = loaded != NULL ? &loaded->producers[0].threads[0].source : NULL;
    return loaded != NULL;
}

static bool load_csv(const char *text, const char *how)
{
    return load_bytes("in.csv", text, strlen(text), how);
}

static bool load_lines(const char *text, const char *how)
{
    return load_bytes("in.jsonl", text, strlen(text), how);
}

static bool is_text(const char *text, int32_t length_bytes, const char *expected)
{
    bool same = expected == NULL ? text == NULL && length_bytes == -1
                                 : text != NULL && (size_t)length_bytes == strlen(expected) &&
                                       memcmp(text, expected, strlen(expected)) == 0;
    if (!same) {
        fprintf(stderr, "\nexpected %s\nfound    %.*s\n", expected != NULL ? expected : "null",
                text != NULL ? length_bytes : 4, text != NULL ? text : "null");
    }
    return same;
}

static bool has_record(uint64_t index, const char *key, const char *value)
{
    if (source == NULL || index >= source->given_count) {
        fprintf(stderr, "\nno record %llu\n%s", (unsigned long long)index, scenario_complaints);
        return false;
    }
    const struct sim_given_record *record = &source->given[index];
    return is_text(record->key, record->key_bytes, key) && is_text(record->value, record->value_bytes, value);
}

static bool says(const char *complaints)
{
    bool same = strcmp(scenario_complaints, complaints) == 0;
    if (!same) {
        fprintf(stderr, "\nexpected %sfound    %s", complaints, scenario_complaints);
    }
    return same;
}

/* --- CSV */

static void reads_columns_by_name(void)
{
    CU_ASSERT_TRUE(load_csv("id,when,what,where\n1,100,tea,0\n2,100,coffee,\n3,350,cup,12\n",
                            ", \"key\": \"id\", \"value\": \"what\", \"time\": \"when\", \"partition\": "
                            "\"where\""));
    CU_ASSERT_EQUAL_FATAL(source->given_count, 3);
    CU_ASSERT_EQUAL(source->count, 3);
    CU_ASSERT_TRUE(has_record(0, "1", "tea"));
    CU_ASSERT_TRUE(has_record(1, "2", "coffee"));
    CU_ASSERT_TRUE(has_record(2, "3", "cup"));
    CU_ASSERT_EQUAL(source->given[0].at_us, 2000); /* the first row is the begin, start_ms comes on top */
    CU_ASSERT_EQUAL(source->given[1].at_us, 2000);
    CU_ASSERT_EQUAL(source->given[2].at_us, 252000);
    CU_ASSERT_EQUAL(source->given[0].partition, 0);
    CU_ASSERT_EQUAL(source->given[1].partition, -1);
    CU_ASSERT_EQUAL(source->given[2].partition, 12);
}

static void takes_whole_rows_as_they_stand(void)
{
    static const char *const rows[] = {"1,\"a, b\"", "2,\"say \"\"hi\"\"\"",
                                       "3,\"two\nlines\r\nand, \"\"more\"\"\"", "4,plain \"quotes\" within"};
    char text[256];
    snprintf(text, sizeof text, "id,note\n%s\n%s\r\n%s\n%s", rows[0], rows[1], rows[2], rows[3]);
    CU_ASSERT_TRUE(load_csv(text, ", \"key\": \"note\""));
    CU_ASSERT_TRUE(has_record(0, "a, b", rows[0]));
    CU_ASSERT_TRUE(has_record(1, "say \"hi\"", rows[1]));
    CU_ASSERT_TRUE(has_record(2, "two\nlines\r\nand, \"more\"", rows[2]));
    CU_ASSERT_TRUE(has_record(3, "plain \"quotes\" within", rows[3]));
}

static void takes_all_kinds_of_ends(void)
{
    CU_ASSERT_TRUE(
        load_csv("\xef\xbb\xbfk,v\r\na,1\r\n\r\n\nb,\r\nc,3", ", \"key\": \"k\", \"value\": \"v\""));
    CU_ASSERT_EQUAL(source->given_count, 3);
    CU_ASSERT_TRUE(has_record(0, "a", "1"));
    CU_ASSERT_TRUE(has_record(1, "b", ""));
    CU_ASSERT_TRUE(has_record(2, "c", "3"));
    CU_ASSERT_TRUE(load_csv("k;v\n\"x;y\";1\n", ", \"key\": \"k\", \"separator\": \";\""));
    CU_ASSERT_TRUE(has_record(0, "x;y", "\"x;y\";1"));
    CU_ASSERT_TRUE(load_csv("k\tv\na\t1\n", ", \"key\": \"v\", \"separator\": \"\\t\""));
    CU_ASSERT_TRUE(has_record(0, "1", "a\t1"));
    CU_ASSERT_TRUE(load_csv("k\n\"\"\"\"\n", ", \"key\": \"k\", \"value\": \"k\""));
    CU_ASSERT_TRUE(has_record(0, "\"", "\""));
    CU_ASSERT_TRUE(load_bytes("in.csv", "k,v\na\0b,1\n", 10, ", \"key\": \"k\", \"value\": \"v\""));
    CU_ASSERT_EQUAL(source->given[0].key_bytes, 3); /* bytes are bytes */
    CU_ASSERT_TRUE(load_bytes("in.txt", "k\na\n", 4, ", \"format\": \"csv\""));
    CU_ASSERT_TRUE(has_record(0, NULL, "a"));
}

static void counts_lines_for_complaints(void)
{
    CU_ASSERT_FALSE(load_csv("k,v\n\"a\n\na\",1\n\nb\nc,1,2\n", ""));
    CU_ASSERT_TRUE(says("in.csv: line 6: has 1 fields where the header has 2\n"
                        "in.csv: line 7: has 3 fields where the header has 2\n"));
    CU_ASSERT_FALSE(load_csv("k,v\na,1\n\"b,2\nc,3\n", ""));
    CU_ASSERT_TRUE(says("in.csv: line 3: the quotes do not end\n"));
    CU_ASSERT_FALSE(load_csv("k,\"v\na,1\n", ""));
    CU_ASSERT_TRUE(says("in.csv: line 1: the quotes of the header do not end\n"));
}

static void complains_about_columns(void)
{
    CU_ASSERT_FALSE(load_csv("id,what\n1,tea\n2,cup\n", ", \"key\": \"name\", \"time\": \"when\""));
    CU_ASSERT_TRUE(says("scenario.json: $.producers[0].threads[0].records.file: in.csv has no column "
                        "\"name\"; its columns are id, what\n"
                        "scenario.json: $.producers[0].threads[0].records.file: in.csv has no column "
                        "\"when\"; its columns are id, what\n"));
}

static void complains_about_times(void)
{
    CU_ASSERT_FALSE(load_csv("t\n5\nx\n-3\n\"\"\n4\n2020-01-01\n", ", \"time\": \"t\""));
    CU_ASSERT_TRUE(says("in.csv: line 3: the time is not a whole number of milliseconds\n"
                        "in.csv: line 4: the time is not a whole number of milliseconds\n"
                        "in.csv: line 6: its time is before that of the row in front of it; sort the file by "
                        "time\n"
                        "in.csv: line 7: the time is not a whole number of milliseconds\n"));
    CU_ASSERT_FALSE(
        load_csv("t\n0\n86400000\n86400001\n999999999999999999\n9999999999999999999\n", ", \"time\": \"t\""));
    CU_ASSERT_TRUE(says("in.csv: line 4: its time is more than a day after that of the first row\n"
                        "in.csv: line 5: its time is more than a day after that of the first row\n"
                        "in.csv: line 6: the time is not a whole number of milliseconds\n"));
    CU_ASSERT_FALSE(load_csv("t\n999999999999999999\n0\n", ", \"time\": \"t\""));
    CU_ASSERT_TRUE(says("in.csv: line 3: its time is before that of the row in front of it; sort the file by "
                        "time\n"));
    CU_ASSERT_FALSE(load_csv("p\n0\n-1\n10000\nx\n", ", \"partition\": \"p\""));
    CU_ASSERT_TRUE(says("in.csv: line 3: the partition is not a number from 0 to 9999\n"
                        "in.csv: line 4: the partition is not a number from 0 to 9999\n"
                        "in.csv: line 5: the partition is not a number from 0 to 9999\n"));
}

static void complains_about_empty_files(void)
{
    static const char none[] = "in.csv: has no records; a CSV file begins with a line of column names\n";
    CU_ASSERT_FALSE(load_csv("", ""));
    CU_ASSERT_TRUE(says(none));
    CU_ASSERT_FALSE(load_csv("k,v", ""));
    CU_ASSERT_TRUE(says(none));
    CU_ASSERT_FALSE(load_csv("k,v\n\n\r\n", ""));
    CU_ASSERT_TRUE(says(none));
    CU_ASSERT_FALSE(load_csv("\xef\xbb\xbf", ""));
    CU_ASSERT_TRUE(says(none));
    CU_ASSERT_FALSE(load_lines("\n\n", ""));
    CU_ASSERT_EQUAL(scenario_complaint_count, 1);
    sim_scenario_release(loaded);
    loaded = scenario_load_sections(
        &(struct scenario_sections){.records = "{\"file\": {\"path\": \"missing.csv\"}}"});
    CU_ASSERT_TRUE(says("missing.csv: No such file or directory\n"));
    loaded =
        scenario_load_sections(&(struct scenario_sections){.records = "{\"file\": {\"path\": \"/tmp\"}}"});
    CU_ASSERT_TRUE(says("/tmp: is a directory; name a file in it\n"));
}

static void stops_complaining_after_twenty_rows(void)
{
    char text[4096] = "k,v\n";
    for (int i = 0; i < 300; i++) {
        strcat(text, "a\n");
    }
    CU_ASSERT_FALSE(load_csv(text, ""));
    CU_ASSERT_EQUAL(scenario_complaint_count, 21);
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "in.csv: line 21: has 1 fields"));
    CU_ASSERT_PTR_NULL(strstr(scenario_complaints, "line 22"));
    CU_ASSERT_PTR_NOT_NULL(strstr(scenario_complaints, "in.csv: more rows are wrong\n"));
}

/* More columns than are looked at: nothing is written past them. */
static void takes_very_wide_rows(void)
{
    char text[4096] = "";
    for (int i = 0; i < 600; i++) {
        strcat(text, "c,");
    }
    strcat(text, "d\n");
    size_t header_bytes = strlen(text);
    memcpy(text + header_bytes, text, header_bytes);
    text[2 * header_bytes] = '\0';
    CU_ASSERT_TRUE(load_csv(text, ", \"key\": \"c\""));
    CU_ASSERT_EQUAL(source->given[0].value_bytes, (int32_t)header_bytes - 1);
    CU_ASSERT_FALSE(load_csv(text, ", \"key\": \"d\"")); /* behind the 256th */
}

static void the_hash_covers_the_file(void)
{
    CU_ASSERT_TRUE(load_csv("k,v\na,1\n", ""));
    uint64_t hash = loaded->input_hash;
    CU_ASSERT_TRUE(load_csv("k,v\na,1\n", ""));
    CU_ASSERT_EQUAL(loaded->input_hash, hash);
    CU_ASSERT_TRUE(load_csv("k,v\na,2\n", ""));
    CU_ASSERT_NOT_EQUAL(loaded->input_hash, hash);
}

/* --- JSON Lines */

static void reads_members_by_name(void)
{
    CU_ASSERT_TRUE(load_lines("{\"k\": \"a\", \"v\": [1, {\"x\": null}], \"t\": 1000, \"p\": 2}\r\n"
                              "\n"
                              "{\"k\": 7, \"v\": \"te\\u0078t\", \"t\": 1001}\n"
                              "{\"k\": null, \"v\": true, \"t\": 1600000000000}",
                              ", \"key\": \"k\", \"value\": \"v\", \"partition\": \"p\""));
    CU_ASSERT_EQUAL_FATAL(source->given_count, 3);
    CU_ASSERT_TRUE(has_record(0, "a", "[1,{\"x\":null}]"));
    CU_ASSERT_TRUE(has_record(1, "7", "text"));
    CU_ASSERT_TRUE(has_record(2, NULL, "true"));
    CU_ASSERT_EQUAL(source->given[0].at_us, -1);
    CU_ASSERT_EQUAL(source->given[0].partition, 2);
    CU_ASSERT_EQUAL(source->given[1].partition, -1);
    CU_ASSERT_TRUE(load_lines("{\"t\":1600000000000}\n{ \"t\": 1600000000007 }\r\n", ", \"time\": \"t\""));
    CU_ASSERT_TRUE(has_record(0, NULL, "{\"t\":1600000000000}"));
    CU_ASSERT_TRUE(has_record(1, NULL, "{ \"t\": 1600000000007 }"));
    CU_ASSERT_EQUAL(source->given[1].at_us, 9000);
}

static void complains_about_lines(void)
{
    CU_ASSERT_FALSE(load_lines("{\"t\": 1}\n[1]\n{\"t\": 2\n\n\"x\"\n{\"t\": 0}\n{}\n{\"t\": 1.5}\n{} x\n",
                               ", \"time\": \"t\""));
    CU_ASSERT_TRUE(says("in.jsonl: line 2: is not a JSON object\n"
                        "in.jsonl: line 3: is not a JSON object\n"
                        "in.jsonl: line 5: is not a JSON object\n"
                        "in.jsonl: line 6: its time is before that of the row in front of it; sort the file "
                        "by time\n"
                        "in.jsonl: line 7: the time is not a whole number of milliseconds\n"
                        "in.jsonl: line 8: the time is not a whole number of milliseconds\n"
                        "in.jsonl: line 9: is not a JSON object\n"));
}

static void survives_binary_rubbish(void)
{
    char bytes[5000];
    uint32_t state = 12345;
    for (size_t i = 0; i < sizeof bytes; i++) {
        state = state * 1664525 + 1013904223;
        bytes[i] = (char)(state >> 24);
    }
    static const char *const hows[] = {"", ", \"key\": \"k\"", ", \"format\": \"jsonl\"",
                                       ", \"format\": \"jsonl\", \"time\": \"t\""};
    for (size_t i = 0; i < sizeof hows / sizeof hows[0]; i++) {
        CU_ASSERT_FALSE(load_bytes("in.csv", bytes, sizeof bytes, hows[i]));
        CU_ASSERT_TRUE(scenario_complaint_count >= 1);
    }
}

static void reads_the_orders(void)
{
    sim_scenario_release(loaded);
    loaded = scenario_load_path("assets/scenarios/orders-file.json", NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded);
    CU_ASSERT_EQUAL(loaded->producers[0].threads[0].source.given_count, 2400);
    sim_scenario_release(loaded);
    loaded = scenario_load_path("assets/scenarios/orders-jsonl.json", NULL, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(loaded);
    CU_ASSERT_EQUAL(loaded->producers[0].threads[0].source.given_count, 120);
}

int main(void)
{
    int result = unit_main("input_file",
                           (struct unit_test[]){
                               {"reads columns by name", reads_columns_by_name},
                               {"takes whole rows as they stand", takes_whole_rows_as_they_stand},
                               {"takes all kinds of ends", takes_all_kinds_of_ends},
                               {"counts lines for complaints", counts_lines_for_complaints},
                               {"complains about columns", complains_about_columns},
                               {"complains about times", complains_about_times},
                               {"complains about empty files", complains_about_empty_files},
                               {"stops complaining after twenty rows", stops_complaining_after_twenty_rows},
                               {"takes very wide rows", takes_very_wide_rows},
                               {"the hash covers the file", the_hash_covers_the_file},
                               {"reads members by name", reads_members_by_name},
                               {"complains about lines", complains_about_lines},
                               {"survives binary rubbish", survives_binary_rubbish},
                               {"reads the orders", reads_the_orders},
                               {0},
                           });
    sim_scenario_release(loaded);
    return result;
}
