# gatehouse_proto(TARGET FILE)
#
# A static library of the messages of FILE as C++: protoc's code, which our warnings do not concern.
# It is included as <NAME.pb.h>.
function(gatehouse_proto target file)
  get_filename_component(name ${file} NAME_WE)
  get_filename_component(folder ${CMAKE_CURRENT_SOURCE_DIR}/${file} DIRECTORY)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/${target})
  file(MAKE_DIRECTORY ${generated})
  add_custom_command(
    OUTPUT ${generated}/${name}.pb.cc ${generated}/${name}.pb.h
    COMMAND protobuf::protoc --cpp_out=${generated} --proto_path=${folder} ${name}.proto
    DEPENDS ${file}
    VERBATIM)
  add_library(${target} STATIC ${generated}/${name}.pb.cc ${generated}/${name}.pb.h)
  target_compile_options(${target} PRIVATE -w)
  target_include_directories(${target} SYSTEM PUBLIC ${generated})
  target_link_libraries(${target} PUBLIC protobuf::libprotobuf-lite)
endfunction()
