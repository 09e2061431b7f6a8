/* Ruby that people have written into .worker files and that would have to run: what each is and
 * what to write instead. */
#include "cli/dotworker_syntax.h"

#include <string.h>

#include "lib/cleanup.h"

#include "lib/banned.h"

#define CONDITION                                                                                  \
    "conditions are not evaluated: write what holds, or keep one .worker file for each case"
#define LOOP       "loops are not run: write each line out, or take a whole folder with dir"
#define BLOCK      "blocks are not run: write one keyword to a line"
#define DEFINITION "nothing can be defined here: put code into the file that exec names"
#define LIBRARY    "no Ruby is loaded here: put it into the file that exec names"
#define PRINTING   "nothing is printed while the file is read: use a # comment"
#define FILES      "Ruby's file functions are not run: name the files with file, or a folder with dir"
#define VARIABLE   "there are no variables: write the value where it is used"
#define OPERATOR   "nothing is computed here: write the result"

static const struct row {
    const char *text, *instead;
} rows[] = {
    {"if", CONDITION},
    {"unless", CONDITION},
    {"else", CONDITION},
    {"elsif", CONDITION},
    {"case", CONDITION},
    {"when", CONDITION},
    {"?", CONDITION},
    {"&&", CONDITION},
    {"||", CONDITION},
    {"and", CONDITION},
    {"or", CONDITION},
    {"not", CONDITION},
    {"!", CONDITION},
    {"==", CONDITION},
    {"!=", CONDITION},
    {"=~", CONDITION},
    {"while", LOOP},
    {"until", LOOP},
    {"for", LOOP},
    {"loop", LOOP},
    {"do", BLOCK},
    {"begin", BLOCK},
    {"end", BLOCK},
    {"rescue", BLOCK},
    {"lambda", BLOCK},
    {"proc", BLOCK},
    {"->", BLOCK},
    {"|", BLOCK},
    {"&", BLOCK},
    {"{", BLOCK},
    {"def", DEFINITION},
    {"class", DEFINITION},
    {"module", DEFINITION},
    {"alias", DEFINITION},
    {"require", LIBRARY},
    {"require_relative", LIBRARY},
    {"load", LIBRARY},
    {"eval", LIBRARY},
    {"instance_eval", LIBRARY},
    {"source", "gems come from the sources of a Gemfile: use gemfile 'Gemfile'"},
    {"group", "groups belong into a Gemfile: use gemfile 'Gemfile', 'group'"},
    {"puts", PRINTING},
    {"print", PRINTING},
    {"p", PRINTING},
    {"raise", PRINTING},
    {"ENV", "ENV is not read, so that the same file makes the same package everywhere: write the "
            "value, or give it to all tasks with upload --env NAME=VALUE"},
    {"Dir", FILES},
    {"File", FILES},
    {"FileUtils", FILES},
    {"Pathname", FILES},
    {"__FILE__", FILES},
    {"__dir__", FILES},
    {"Rails", "paths are relative to the .worker file: write '../app/models', not Rails.root"},
    {"system", "commands are not run while the file is read: use build \"…\" for the server"},
    {"exit", "commands are not run while the file is read: use build \"…\" for the server"},
    {"=", "nothing is assigned: write a keyword and its value, as in name 'hello'"},
    {"+=", VARIABLE},
    {"||=", VARIABLE},
    {"@", VARIABLE},
    {"$", VARIABLE},
    {"self", VARIABLE},
    {"+", OPERATOR},
    {"-", OPERATOR},
    {"*", "splats are not expanded: write the list"},
    {"**", "splats are not expanded: write the list"},
    {"/", OPERATOR},
    {"%", OPERATOR},
    {"..", OPERATOR},
    {"...", OPERATOR},
    {"<<", "here-documents are not read: write the text in quotes, with \\n"},
    {".", "no methods are called: write the result"},
    {"&.", "no methods are called: write the result"},
    {"::", "no constants are known: write the value"},
    {"[", "nothing is looked up: write the value"},
};

const char *dw_instead(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (strcmp(rows[i].text, text) == 0)
            return rows[i].instead;
    return NULL;
}
