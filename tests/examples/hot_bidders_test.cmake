# NEXMark bids through examples/hot_bidders, in C++ and in SQL: what they publish is equal byte for byte.
#   cmake -DKAPPA=… -DHOT_BIDDERS=… -DSQL=… -DWORK_DIR=… -P hot_bidders_test.cmake
file(REMOVE_RECURSE "${WORK_DIR}")
file(MAKE_DIRECTORY "${WORK_DIR}")

# Runs a command in a directory of its own per spelling; `output` is what it prints.
function(run name)
  file(MAKE_DIRECTORY "${WORK_DIR}/${name}")
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${WORK_DIR}/${name}" RESULT_VARIABLE status OUTPUT_VARIABLE text
                  ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "hot_bidders_test: ${ARGN} ended with ${status}:\n${text}${errors}")
  endif()
  set(output "${text}" PARENT_SCOPE)
endfunction()

# The example calls the event time `at`.
run(made "${KAPPA}" generate nexmark --events 100000 --topic made --kind bid --key bidder --partitions 4)
run(made "${KAPPA}" log read made --values)
string(REPLACE "\"dateTime\":" "\"at\":" bids "${output}")
file(WRITE "${WORK_DIR}/bids.jsonl" "${bids}")

foreach(spelling cpp sql)
  run(${spelling} "${KAPPA}" log import bids ../bids.jsonl --key bidder --timestamp at --partitions 4)
  if(spelling STREQUAL cpp)
    run(cpp "${HOT_BIDDERS}" run --until-end --close)
  else()
    run(sql "${KAPPA}" run "${SQL}" --until-end --close)
  endif()
  run(${spelling} "${KAPPA}" log read bidder-totals)
  set(${spelling}_results "${output}")
endforeach()

string(REGEX MATCHALL "\"total\\\\\":" results "${cpp_results}")
list(LENGTH results count)
if(count LESS 1000)
  message(FATAL_ERROR "hot_bidders_test: only ${count} results")
endif()
if(NOT cpp_results STREQUAL sql_results)
  message(FATAL_ERROR "hot_bidders_test: C++ and SQL published different records; see `log read bidder-totals` in ${WORK_DIR}")
endif()
message(STATUS "${count} equal results")
